//! One extracted portal and one CMS that it is delivered to.

use crate::cms::{Cms, MAPPING};
use crate::support::{expect, text};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;

pub struct Site<'a> {
    cms: &'a dyn Cms,
    output: &'a Path,
    pub target: PathBuf,
}

impl<'a> Site<'a> {
    /// `more` stands in the target's file beside address and secrets.
    pub fn new(cms: &'a dyn Cms, output: &'a Path, more: &str) -> Self {
        Self {
            cms,
            output,
            target: cms.target_at(output, cms.base(), more),
        }
    }

    /// A command, told where the output and the target are; it must end with `code`.
    pub fn run(&self, args: &[&str], code: i32) -> Output {
        let mut command = self.cms.command();
        command.args(args).arg("--output").arg(self.output);
        // These take the target from the plan, or need none.
        if !args.iter().any(|a| ["apply", "approve"].contains(a)) {
            command.arg("--target").arg(&self.target);
        }
        expect(&mut command, code)
    }

    pub fn plan(&self) -> Value {
        self.run(&["plan", MAPPING], 0);
        serde_json::from_str(&std::fs::read_to_string(self.plan_file()).unwrap()).unwrap()
    }

    pub fn plan_file(&self) -> PathBuf {
        self.output.join("ctk-binhthuan/plan.json")
    }

    /// What `apply` tells people.
    pub fn apply(&self, more: &[&str], code: i32) -> String {
        let file = self.plan_file();
        let mut args = vec!["apply", file.to_str().unwrap()];
        args.extend(more);
        text(&self.run(&args, code).stderr)
    }

    /// What was lost: field and id in the CMS.
    pub fn verify(&self, code: i32) -> Vec<(String, String)> {
        let output = self.run(&["--json", "verify", MAPPING], code);
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let word = |l: &Value, of: &str| l[of].as_str().unwrap().to_owned();
        let losses = said["result"]["losses"].as_array().unwrap().iter();
        losses.map(|l| (word(l, "field"), word(l, "remote"))).collect()
    }

    /// Everything is there, and the next plan is empty.
    pub fn is_whole(&self) {
        self.run(&["verify", MAPPING], 0);
        let plan = self.plan();
        assert_eq!(plan["changes"], json!([]), "the next plan is empty");
    }
}
