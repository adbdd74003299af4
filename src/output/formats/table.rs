//! Tables: columns that have a type, and rows of cells.

/// A column of a table.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: ColumnKind,
    /// Whether every row has it.
    pub(super) is_full: bool,
}

/// What is in a column.
#[derive(Clone, Copy)]
pub(super) enum ColumnKind {
    Text,
    /// Not negative.
    Whole,
    /// Any number, such as seconds.
    Number,
    /// Hundredths of pixels, for which half the room is enough.
    Pixels,
}

/// What is in a column of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing is known, which an empty text is not.
    Null,
    Text(&'a str),
    Whole(u64),
    Number(f64),
}

impl<'a> Cell<'a> {
    pub(super) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    pub(super) fn whole(number: Option<u64>) -> Self {
        number.map_or(Self::Null, Self::Whole)
    }

    pub(super) fn number(number: Option<f64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl Column {
    /// One that every row has.
    pub(super) const fn full(name: &'static str, kind: ColumnKind) -> Self {
        let is_full = true;
        Self {
            name,
            kind,
            is_full,
        }
    }

    /// One that may be null.
    pub(super) const fn partial(name: &'static str, kind: ColumnKind) -> Self {
        let is_full = false;
        Self {
            name,
            kind,
            is_full,
        }
    }
}
