//! `sangtrang schema document|mapping|mapping-diff|diff`
//! `sangtrang schema document|mapping|mapping-diff|report`

use super::args::{SchemaArgs, SchemaName};
use super::{Exit, Outcome, Ui};

pub(super) fn main(args: &SchemaArgs, ui: &Ui) -> Outcome {
    let schema = match args.which {
        SchemaName::Document => crate::document::document_schema(),
        SchemaName::Mapping => crate::mapping::mapping_schema(),
        SchemaName::Diff => crate::pipeline::differ::diff_schema(),
        SchemaName::MappingDiff => crate::pipeline::impact_schema(),
        SchemaName::Report => crate::report::html::report_schema(),
    };
    ui.data(format_args!("{schema:#}"));
    Ok(Exit::Ok)
}
