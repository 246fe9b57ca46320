//! A page of its own: nothing of another one is in it, and each of its requests waits for us.

use super::Process;
use serde_json::{Value, json};

/// An empty page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its context, to be disposed of with it.
    pub context: String,
    /// The session that speaks with it.
    pub session: String,
    /// Its main frame.
    pub frame: String,
}

/// Opens one, in a window of `size` (width and height in CSS pixels) or of the browser's usual size.
///
/// # Errors
/// When the browser does not answer.
pub async fn open(process: &mut Process, size: Option<(u32, u32)>) -> std::io::Result<Opened> {
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let pipe = &mut process.pipe;
    let context = json!({ "disposeOnDetach": true });
    let context = text(
        &pipe.call("", "Target.createBrowserContext", context).await?,
        "browserContextId",
    );
    let deny = json!({ "behavior": "deny", "browserContextId": context });
    pipe.call("", "Browser.setDownloadBehavior", deny).await?;
    let mut page = json!({ "url": "about:blank", "browserContextId": context });
    if let Some((width, height)) = size {
        page["width"] = json!(width);
        page["height"] = json!(height);
    }
    // The main frame has the target's name.
    let frame = text(&pipe.call("", "Target.createTarget", page).await?, "targetId");
    let attach = json!({ "targetId": frame, "flatten": true });
    let session = text(
        &pipe.call("", "Target.attachToTarget", attach).await?,
        "sessionId",
    );
    let all = json!({ "patterns": [{ "urlPattern": "*", "requestStage": "Request" }] });
    pipe.call(&session, "Fetch.enable", all).await?;
    pipe.call(&session, "Inspector.enable", json!({})).await?;
    Ok(Opened {
        context,
        session,
        frame,
    })
}
