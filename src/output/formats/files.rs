//! Which files each format has.

use super::coco;
use super::csv;
use super::format_file::FormatFile;
use super::html;
use super::jsonl;
use super::mot;
use super::parquet;
use super::srt;
use super::tsv;
use super::txt;
use super::vtt;
use super::yolo;
use crate::recipe::OutputFormat;

/// The files of `format`; no two formats have one of the same ending.
pub(in crate::output) fn files(format: OutputFormat) -> &'static [FormatFile] {
    match format {
        OutputFormat::Srt => srt::FILES,
        OutputFormat::Vtt => vtt::FILES,
        OutputFormat::Tsv => tsv::FILES,
        OutputFormat::Txt => txt::FILES,
        OutputFormat::Jsonl => jsonl::FILES,
        OutputFormat::Csv => csv::FILES,
        OutputFormat::Parquet => parquet::FILES,
        OutputFormat::Coco => coco::FILES,
        OutputFormat::Yolo => yolo::FILES,
        OutputFormat::Mot => mot::FILES,
        OutputFormat::Html => html::FILES,
    }
}
