//! `parquet`: tables in columns, each with a type, compressed.
//!
//! A row group is written when it is full, so that a table of any length takes the memory of one.

use super::detections_table;
use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::speech_table;
use super::table::Cell;
use super::table::Column;
use super::table::ColumnKind;
use parquet::basic::Compression;
use parquet::basic::Encoding;
use parquet::basic::LogicalType;
use parquet::basic::Repetition;
use parquet::basic::Type as Physical;
use parquet::data_type::ByteArray;
use parquet::data_type::ByteArrayType;
use parquet::data_type::DoubleType;
use parquet::data_type::FloatType;
use parquet::data_type::Int64Type;
use parquet::errors::Result as Written;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedColumnWriter;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use parquet::schema::types::Type;
use std::io::Error;
use std::sync::Arc;

pub(super) const FILES: &[FormatFile] = &[
    FormatFile {
        ending: "_detections.parquet",
        subject: Subject::Frames,
        content: FormatContent::File(|out, of| {
            let rows = detections_table::rows(of.results);
            write(out, &detections_table::COLUMNS, rows).map_err(Error::other)
        }),
    },
    FormatFile {
        ending: "_speech.parquet",
        subject: Subject::Sound,
        content: FormatContent::File(|out, of| {
            let rows = speech_table::rows(of.results);
            write(out, &speech_table::COLUMNS, rows).map_err(Error::other)
        }),
    },
];

/// Rows that are held until they are written.
const ROWS_OF_A_GROUP: usize = 1 << 17;

fn write<'a, const N: usize>(
    out: &mut Sink<'_>,
    columns: &[Column; N],
    rows: impl Iterator<Item = [Cell<'a>; N]>,
) -> Written<()> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("vpipe ", env!("CARGO_PKG_VERSION")).to_owned());
    for column in columns {
        if let ColumnKind::Pixels = column.kind {
            // Hardly two are the same, and their first bytes differ little.
            let path = ColumnPath::from(column.name);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT);
        }
    }
    let fields = columns.iter().map(|column| field(column).map(Arc::new));
    let schema = Type::group_type_builder("table").with_fields(fields.collect::<Written<_>>()?);
    let (schema, properties) = (Arc::new(schema.build()?), Arc::new(properties.build()));
    let mut file = SerializedFileWriter::new(out, schema, properties)?;
    let mut held = columns.each_ref().map(Held::new);
    for row in rows {
        for (held, cell) in held.iter_mut().zip(row) {
            held.add(cell);
        }
        if held
            .iter()
            .any(|held| held.is_present.len() == ROWS_OF_A_GROUP)
        {
            flush(&mut file, &mut held)?;
        }
    }
    flush(&mut file, &mut held)?;
    file.close().map(drop)
}

fn field(column: &Column) -> Written<Type> {
    let (physical, logical) = match column.kind {
        ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Whole => (Physical::INT64, Some(LogicalType::integer(64, false))),
        ColumnKind::Number => (Physical::DOUBLE, None),
        ColumnKind::Pixels => (Physical::FLOAT, None),
    };
    let repetition = match column.is_full {
        true => Repetition::REQUIRED,
        false => Repetition::OPTIONAL,
    };
    Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

fn flush<const N: usize>(
    file: &mut SerializedFileWriter<&mut Sink<'_>>,
    held: &mut [Held; N],
) -> Written<()> {
    let mut group = file.next_row_group()?;
    for held in held {
        if let Some(mut column) = group.next_column()? {
            held.write(&mut column)?;
            column.close()?;
        }
    }
    group.close().map(drop)
}

// The rows of a column that are not written yet.
struct Held {
    values: Values,
    // Of each row whether it has a value, as Parquet says it: 1 or 0.
    is_present: Vec<i16>,
    is_full: bool,
}

enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Pixels(Vec<f32>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.len(),
            Self::Whole(numbers) => numbers.len(),
            Self::Number(numbers) => numbers.len(),
            Self::Pixels(numbers) => numbers.len(),
        }
    }
}

impl Held {
    fn new(column: &Column) -> Self {
        Self {
            values: match column.kind {
                ColumnKind::Text => Values::Text(Vec::new()),
                ColumnKind::Whole => Values::Whole(Vec::new()),
                ColumnKind::Number => Values::Number(Vec::new()),
                ColumnKind::Pixels => Values::Pixels(Vec::new()),
            },
            is_present: Vec::new(),
            is_full: column.is_full,
        }
    }

    fn add(&mut self, cell: Cell<'_>) {
        let held = self.values.len();
        match (&mut self.values, cell) {
            (Values::Text(texts), Cell::Text(text)) => texts.push(text.into()),
            // The same bits, which the type of the column says how to read.
            (Values::Whole(numbers), Cell::Whole(number)) => numbers.push(number.cast_signed()),
            (Values::Number(numbers), Cell::Number(number)) => numbers.push(number),
            (Values::Pixels(numbers), Cell::Number(number)) => numbers.push(number as f32),
            _ => {}
        }
        let is_present = self.values.len() > held;
        self.is_present.push(is_present.into());
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Written<()> {
        let levels = (!self.is_full).then_some(self.is_present.as_slice());
        match &mut self.values {
            Values::Text(values) => {
                column
                    .typed::<ByteArrayType>()
                    .write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Whole(values) => {
                column
                    .typed::<Int64Type>()
                    .write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Number(values) => {
                column
                    .typed::<DoubleType>()
                    .write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Pixels(values) => {
                column
                    .typed::<FloatType>()
                    .write_batch(values, levels, None)?;
                values.clear();
            }
        }
        self.is_present.clear();
        Ok(())
    }
}
