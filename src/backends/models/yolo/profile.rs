//! The profile of a detection model: what its file says about input, output and classes, and
//! whether that is a detector at all.
//!
//! Knows nothing of engines or frames.

use crate::backends::engine::header::FLOAT16;
use crate::backends::engine::header::FLOAT32;
use crate::backends::engine::header::Header;
use crate::backends::engine::header::Port;
use crate::backends::models::yolo::layout::Clues;
use crate::backends::models::yolo::layout::Layout;
use crate::backends::models::yolo::literal::Literal;
use crate::backends::models::yolo::names::MOST_CLASSES;
use crate::backends::models::yolo::names::listed;
use crate::backends::models::yolo::names::number;
use crate::item::Size;
use std::sync::Arc;

/// The longest side of an input that is taken to be meant.
const LONGEST_SIDE: usize = 8192;

/// Why a model has no profile.
#[derive(Debug, PartialEq)]
pub(in crate::backends) enum Misfit {
    /// It is something else, in words that follow its name.
    NotADetector(String),
    /// It knows another number of classes than there are names for.
    Names { known: usize, given: usize },
}

impl From<String> for Misfit {
    fn from(found: String) -> Self {
        Self::NotADetector(found)
    }
}

/// What a detection model takes and gives.
#[derive(Debug)]
pub(in crate::backends) struct Profile {
    /// The size of its input; `None` where it takes what it is given.
    pub(in crate::backends) fixed_size: Option<Size>,
    /// Whether it takes several frames at once.
    pub(in crate::backends) takes_batches: bool,
    /// The number that the sides of a free input must be multiples of.
    pub(in crate::backends) stride: u32,
    /// The names of its classes by index; empty where nothing says how many there are.
    pub(in crate::backends) classes: Vec<Arc<str>>,
    /// The side that a model with a free input was exported for, in pixels, where it says so.
    pub(in crate::backends) imgsz: Option<u32>,
    /// The names in its metadata, where they cannot be read.
    pub(in crate::backends) unread_names: Option<String>,
    named: bool,
    ultralytics: bool,
}

impl Profile {
    /// Reads the profile of a model, with class names from elsewhere if `names` are given.
    pub(in crate::backends) fn read(
        header: &Header,
        names: Option<Vec<Arc<str>>>,
    ) -> Result<Self, Misfit> {
        let task = header.metadata.get("task").map(String::as_str);
        if let Some(task) = task.filter(|task| *task != "detect") {
            return Err(format!("is a model for the task `{task}`, not `detect`").into());
        }
        // Its boxes are shares of a stretched frame; that it is for `detect` says too little.
        if header.metadata.get("head").map(String::as_str) == Some("RTDETRDecoder") {
            return Err("is an RT-DETR model, not a YOLO one".to_owned().into());
        }
        let (input, output) = match (&header.inputs[..], &header.outputs[..]) {
            ([input], [output, ..]) => (input, output),
            (inputs, _) => {
                return Err(format!("has {} inputs, not one frame", inputs.len()).into());
            }
        };
        let stated = header.metadata.get("names");
        let written = stated.and_then(|text| listed(text));
        let unread_names = stated.filter(|_| written.is_none()).cloned();
        if let (Some(given), Some(written)) = (&names, &written)
            && given.len() != written.len()
        {
            return Err(Misfit::Names {
                known: written.len(),
                given: given.len(),
            });
        }
        let classes = names.or(written);
        let fixed_size = frame_size(input)?;
        let is_free = |port: &Port| port.dims.first().is_none_or(Option::is_none);
        let mut profile = Self {
            fixed_size,
            takes_batches: is_free(input) && is_free(output),
            imgsz: imgsz(header).filter(|_| fixed_size.is_none()),
            unread_names,
            stride: stride(header),
            named: classes.is_some(),
            classes: classes.unwrap_or_default(),
            ultralytics: task.is_some(),
        };
        // An output of unknown rank shows itself when the model has run.
        if !output.dims.is_empty() {
            let layout = profile.layout(&output.dims);
            let (_, count) = layout.map_err(|found| profile.misfit(&output.dims, found))?;
            if !profile.named {
                let numbered = (0..count.unwrap_or(0).min(MOST_CLASSES)).map(number);
                profile.classes = numbered.collect();
            }
        }
        Ok(profile)
    }

    /// The layout of an output with these dimensions; an error in words that follow the name
    /// of the model.
    pub(in crate::backends) fn layout(
        &self,
        dims: &[Option<usize>],
    ) -> Result<(Layout, Option<usize>), String> {
        let clues = Clues {
            dims,
            classes: self.named.then_some(self.classes.len()),
            ultralytics: self.ultralytics,
        };
        clues.layout().map_err(|why| match self.named && dims.len() == 3 {
            true => format!(
                "has {} class names, and its output may be for another number of classes: it {why}",
                self.classes.len()
            ),
            false => format!("is not a detector that is known here: its output {why}"),
        })
    }

    /// Whether the names of the classes are known.
    pub(in crate::backends) fn is_named(&self) -> bool {
        self.named
    }

    // Why an output with these dimensions is not read, where `found` is the case.
    fn misfit(&self, dims: &[Option<usize>], found: String) -> Misfit {
        let given = self.classes.len();
        let unnamed = Clues {
            dims,
            classes: None,
            ultralytics: self.ultralytics,
        };
        match unnamed.layout() {
            Ok((_, Some(known))) if self.named && known != given => Misfit::Names { known, given },
            _ => Misfit::NotADetector(found),
        }
    }

    /// The size that frames are fitted to where the recipe asks for `imgsz`.
    pub(in crate::backends) fn target(&self, imgsz: u32) -> Size {
        self.fixed_size.unwrap_or_else(|| {
            let longest = LONGEST_SIDE as u32;
            let side = imgsz.clamp(1, longest).next_multiple_of(self.stride);
            Size {
                width: side,
                height: side,
            }
        })
    }

    /// The name of a class: its index where it has none.
    pub(in crate::backends) fn class_name(&self, class: u32) -> Arc<str> {
        let known = self.classes.get(class as usize);
        known.map_or_else(|| number(class as usize), Arc::clone)
    }
}

fn stride(header: &Header) -> u32 {
    let written = header.metadata.get("stride");
    let stride = written.and_then(|text| text.trim().parse::<f64>().ok());
    stride
        .filter(|stride| (1.0..=256.0).contains(stride))
        .map_or(32, |stride| stride as u32)
}

// The longer side of what an exporter was told, such as `[480, 640]`.
fn imgsz(header: &Header) -> Option<u32> {
    let side = |value: &Literal| match value {
        Literal::Number(side) if (1.0..=LONGEST_SIDE as f64).contains(side) => Some(*side as u32),
        _ => None,
    };
    match Literal::parse(header.metadata.get("imgsz")?)? {
        Literal::List(sides) => sides
            .iter()
            .map(side)
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .max(),
        one => side(&one),
    }
}

/// The size that an input insists on; an error if it takes no RGB frame, one at a time.
fn frame_size(input: &Port) -> Result<Option<Size>, String> {
    if ![FLOAT32, FLOAT16].contains(&input.element) {
        return Err("takes something other than floating-point pixels".to_owned());
    }
    let &[batch, channels, height, width] = &input.dims[..] else {
        return Err("takes no 1x3xHxW frame".to_owned());
    };
    if let Some(channels) = channels.filter(|channels| *channels != 3) {
        return Err(format!("takes frames of {channels} channels, not 3"));
    }
    if let Some(batch) = batch.filter(|batch| *batch != 1) {
        return Err(format!(
            "was exported for {batch} frames at once; export it with batch=1"
        ));
    }
    match (width, height) {
        (Some(width), Some(height)) if width.max(height) <= LONGEST_SIDE => Ok(Some(Size {
            width: width as u32,
            height: height as u32,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) | (Some(_), None) => Err("takes frames with one free side".to_owned()),
        _ => Err("takes frames of more than 8192 pixels a side".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::Header;
    use super::Misfit;
    use super::Port;
    use super::Profile;
    use crate::backends::engine::header::FLOAT32;

    fn port(dims: &[usize]) -> Port {
        Port {
            name: String::new(),
            element: FLOAT32,
            dims: dims.iter().map(|&n| (n > 0).then_some(n)).collect(),
        }
    }

    fn header(metadata: &[(&str, &str)], input: &[usize], output: &[usize]) -> Header {
        Header {
            metadata: metadata
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            inputs: vec![port(input)],
            outputs: vec![port(output)],
            ..Header::default()
        }
    }

    fn names(profile: &Profile) -> Vec<&str> {
        profile.classes.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn a_model_without_names_has_numbers() {
        let header = header(&[("stride", "64")], &[0, 3, 0, 0], &[0, 7, 0]);
        let profile = Profile::read(&header, None).unwrap();
        assert_eq!(names(&profile), ["0", "1", "2"]);
        assert_eq!(&*profile.class_name(9), "9");
        assert_eq!(profile.target(100).width, 128);
        let given = Some(vec!["a".into(), "b".into(), "c".into()]);
        assert_eq!(
            names(&Profile::read(&header, given).unwrap()),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn what_is_not_a_detector_is_told_as_what_it_is() {
        let frame = [1, 3, 64, 64];
        for (header, expected) in [
            (
                header(&[("task", "segment")], &frame, &[1, 37, 84]),
                "is a model for the task `segment`, not `detect`",
            ),
            (
                header(&[("head", "RTDETRDecoder")], &frame, &[1, 300, 84]),
                "is an RT-DETR model, not a YOLO one",
            ),
            (
                header(&[], &frame, &[1, 1000]),
                "is not a detector that is known here: its output has the shape 1x1000, not 1x?x?",
            ),
            (header(&[], &[1, 10], &[1, 2, 3]), "takes no 1x3xHxW frame"),
            (
                header(&[], &[1, 1, 64, 64], &[1, 7, 84]),
                "takes frames of 1 channels, not 3",
            ),
            (
                header(&[], &[8, 3, 64, 64], &[8, 7, 84]),
                "was exported for 8 frames at once; export it with batch=1",
            ),
            (
                header(&[], &[1, 3, 70_000, 64], &[1, 7, 84]),
                "takes frames of more than 8192 pixels a side",
            ),
            (
                header(&[("names", "['a']")], &frame, &[1, 300, 84]),
                "has 1 class names, and its output may be for another number of classes: it has \
                 the shape 1x300x84; a detector of 1 classes has 1x5xN, or 1xNx6 end to end",
            ),
        ] {
            let misfit = Profile::read(&header, None).unwrap_err();
            assert_eq!(misfit, Misfit::NotADetector(expected.to_owned()));
        }
    }

    fn header_of_three(metadata: &[(&str, &str)]) -> Header {
        header(metadata, &[1, 3, 0, 0], &[1, 7, 84])
    }

    #[test]
    fn what_a_model_was_exported_for_and_its_names_may_be_unknown() {
        for (written, side) in [("[320, 320]", 320), ("[480, 640]", 640), ("320", 320)] {
            let profile = Profile::read(&header_of_three(&[("imgsz", written)]), None).unwrap();
            assert_eq!(profile.imgsz, Some(side));
        }
        let odd = [("imgsz", "[]"), ("names", "a, b, c")];
        let profile = Profile::read(&header_of_three(&odd), None).unwrap();
        assert_eq!(profile.imgsz, None);
        assert_eq!(profile.unread_names.as_deref(), Some("a, b, c"));
        assert!(!profile.is_named());
        // One that insists on its size has no other.
        let fixed = header(&[("imgsz", "[64, 64]")], &[1, 3, 64, 64], &[1, 7, 84]);
        assert_eq!(Profile::read(&fixed, None).unwrap().imgsz, None);
    }

    #[test]
    fn names_that_are_too_few_are_refused() {
        let header = header(&[("names", "['a', 'b']")], &[1, 3, 64, 64], &[1, 6, 84]);
        assert_eq!(
            Profile::read(&header, Some(vec!["x".into()])).unwrap_err(),
            Misfit::Names { known: 2, given: 1 }
        );
        // Neither the names that a model has nor those that are given are as many as its classes.
        let header = header_of_three(&[("names", "[\"a\"]")]);
        let found = Profile::read(&header, None).unwrap_err();
        assert_eq!(found, Misfit::Names { known: 3, given: 1 });
        let given = (0..60).map(|class| class.to_string().into()).collect();
        let found = Profile::read(&header_of_three(&[]), Some(given)).unwrap_err();
        let wanted = Misfit::Names {
            known: 3,
            given: 60,
        };
        assert_eq!(found, wanted);
    }
}
