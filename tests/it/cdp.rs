//! A Chromium that a test leads by the hand: pages opened, keys pressed, pictures taken. The same wire as the program's own
//! (DevTools messages over two pipes), but for one test and one page at a time.

use base64::Engine as _;
use command_fds::{CommandFdExt as _, FdMapping};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Browser {
    out: std::io::PipeWriter,
    messages: Receiver<Value>,
    session: String,
    next: u64,
    events: Vec<Value>,
    child: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// One page, in a window of a usual size, with languages as `Accept-Language` has them.
    pub fn start(languages: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (their_in, our_out) = std::io::pipe().unwrap();
        let (our_in, their_out) = std::io::pipe().unwrap();
        let mut command = Command::new(crate::shown::chromium());
        command
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--force-color-profile=srgb",
            ])
            .arg(format!("--user-data-dir={}", profile.path().join("p").display()))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mappings = vec![
            FdMapping {
                parent_fd: their_in.into(),
                child_fd: 3,
            },
            FdMapping {
                parent_fd: their_out.into(),
                child_fd: 4,
            },
        ];
        command.fd_mappings(mappings).unwrap();
        let child = command.spawn().unwrap();
        drop(command);
        let (tell, messages) = channel();
        std::thread::spawn(move || {
            let mut inward = BufReader::new(our_in);
            loop {
                let mut message = Vec::new();
                if !matches!(inward.read_until(0, &mut message), Ok(n) if n > 0) {
                    return;
                }
                message.pop();
                if tell.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            out: our_out,
            messages,
            session: String::new(),
            next: 0,
            events: Vec::new(),
            child,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = browser.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({}));
        browser.call("Network.enable", json!({}));
        browser.call(
            "Network.setExtraHTTPHeaders",
            json!({ "headers": { "Accept-Language": languages } }),
        );
        browser.call(
            "Target.setAutoAttach",
            json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true }),
        );
        browser.size(1440, 1000);
        browser
    }

    /// A window of another size.
    pub fn size(&mut self, width: u32, height: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.out.write_all(&bytes).unwrap();
        loop {
            let mut answer = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.note(answer);
        }
    }

    /// Keeps an event. A frame of another process waits until it is watched, too.
    fn note(&mut self, event: Value) {
        if event["method"] == "Target.attachedToTarget" {
            let session = &event["params"]["sessionId"];
            for method in ["Network.enable", "Runtime.runIfWaitingForDebugger"] {
                self.next += 1;
                let message =
                    json!({ "id": self.next, "method": method, "params": {}, "sessionId": session });
                self.out.write_all(format!("{message}\0").as_bytes()).unwrap();
            }
        }
        self.events.push(event);
    }

    /// Lets the page do for a while whatever it wants to.
    pub fn wait(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Ok(event) = self.messages.recv_timeout(left) {
                self.note(event);
            }
        }
    }

    /// Does something that leads to another page, and waits until that is there with all its frames and pictures.
    #[track_caller]
    pub fn leads_on(&mut self, act: impl FnOnce(&mut Self)) {
        self.events.clear();
        act(self);
        let began = Instant::now();
        while !self.events.iter().any(|e| e["method"] == "Page.loadEventFired") {
            assert!(began.elapsed() < PATIENCE, "no page came");
            let event = self.messages.recv_timeout(PATIENCE).expect("a page comes");
            self.note(event);
        }
    }

    #[track_caller]
    pub fn open(&mut self, url: &str) {
        self.leads_on(|b| {
            let answer = b.call("Page.navigate", json!({ "url": url }));
            assert!(answer["errorText"].is_null(), "{url}: {answer}");
        });
    }

    /// The value of an expression in the page; promises are awaited.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true }),
        );
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {}",
            answer["exceptionDetails"]
        );
        answer["result"]["value"].clone()
    }

    #[track_caller]
    pub fn text(&mut self, css: &str) -> String {
        let found = self.eval(&format!(
            "document.querySelector({})?.innerText ?? ''",
            json!(css)
        ));
        found.as_str().unwrap().to_owned()
    }

    /// A key as a keyboard sends it, with a character if it has one.
    pub fn key(&mut self, key: &str) {
        self.key_with(key, 0);
    }

    /// The same with modifiers: 2 is Ctrl.
    pub fn key_with(&mut self, key: &str, modifiers: u8) {
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 && modifiers == 0 => key,
            _ => "",
        };
        let mut event = json!({ "type": if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "key": key, "modifiers": modifiers });
        if !text.is_empty() {
            event["text"] = text.into();
        }
        if key == "Enter" {
            event["windowsVirtualKeyCode"] = 13.into();
            event["code"] = "Enter".into();
        }
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Types a text where the cursor stands.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Takes a picture of what is shown; it is kept where somebody may look at it.
    pub fn picture(&mut self, name: &str) -> PathBuf {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(answer["data"].as_str().unwrap())
            .unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, bytes).unwrap();
        eprintln!("as it is shown: {}", path.display());
        path
    }

    /// Addresses that the page and its frames asked for since it was opened.
    pub fn asked(&self) -> Vec<String> {
        self.events
            .iter()
            .filter(|e| e["method"] == "Network.requestWillBeSent")
            .filter_map(|e| e["params"]["request"]["url"].as_str().map(str::to_owned))
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // When its pipe closes the browser ends; when it does not, it is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
