//! `sangtrang schedule print MAPPING`.
use super::sync_args::ScheduleArgs;
use super::{Exit, Outcome, Ui};
pub(super) fn main(_args: &ScheduleArgs, _ui: &Ui) -> Outcome {
    Ok(Exit::Ok)
}
