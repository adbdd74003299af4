//! What a packet says of itself, whatever it is coded as.
//!
//! What a codec does not say, or is not known here, is taken for the worse: referred to, and not a
//! place to begin.

use crate::media::select::nal;
use crate::media::select::nal::Avc;
use crate::media::select::nal::Hevc;
use crate::media::select::nal::PacketTraits;

/// A reader for the packets of one stream.
#[derive(Debug)]
pub(in crate::media) enum Syntax {
    /// H.264.
    Avc(Avc),
    /// HEVC.
    Hevc(Hevc),
    /// MPEG-1 and MPEG-2.
    Mpeg2,
    /// MPEG-4 part 2.
    Mpeg4,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// What the container says is all there is.
    Container,
}

impl Syntax {
    /// A reader for the codec with FFmpeg's name and with its data from the container. `None`
    /// where neither the packets nor the container can be trusted to say where to begin.
    pub(in crate::media) fn new(
        codec: &str,
        codec_data: &[u8],
        is_intra_only: bool,
    ) -> Option<Self> {
        Some(match codec {
            "h264" => Self::Avc(Avc::new(codec_data)),
            "hevc" => Self::Hevc(Hevc::new(codec_data)),
            "mpeg1video" | "mpeg2video" => Self::Mpeg2,
            "mpeg4" => Self::Mpeg4,
            "vp8" => Self::Vp8,
            "vp9" => Self::Vp9,
            "av1" => Self::Container,
            _ if is_intra_only => Self::Container,
            _ => return None,
        })
    }

    /// What `packet` says of itself. `key` and `disposable` are what its container says.
    pub(in crate::media) fn read(
        &self,
        packet: &[u8],
        key: bool,
        disposable: bool,
    ) -> PacketTraits {
        match self {
            Self::Avc(stream) => stream.read(packet),
            Self::Hevc(stream) => stream.read(packet),
            Self::Mpeg2 => of_pictures(mpeg2_kinds(packet)),
            Self::Mpeg4 => of_pictures(mpeg4_kinds(packet)),
            // The lowest bit of a frame: whether it is predicted; the fifth: whether it is shown.
            Self::Vp8 => packet
                .first()
                .map_or_else(PacketTraits::default, |first| PacketTraits {
                    intra: key && first & 1 == 0,
                    refreshes: key && first & 1 == 0,
                    hidden: first >> 4 & 1 == 0,
                    ..PacketTraits::default()
                }),
            Self::Vp9 => {
                let is_key = key && packet.first().is_some_and(|first| is_vp9_key(*first));
                PacketTraits {
                    intra: is_key,
                    refreshes: is_key,
                    ..PacketTraits::default()
                }
            }
            Self::Container => PacketTraits {
                unreferenced: disposable,
                intra: key,
                refreshes: key,
                ..PacketTraits::default()
            },
        }
    }
}

// Two bits that are always 10, two of the profile (the third has one more), and then: whether
// an earlier frame is shown again, and whether the frame is predicted.
fn is_vp9_key(first: u8) -> bool {
    let shift = if first >> 4 & 3 == 3 { 1 } else { 2 };
    first >> 6 == 2 && first >> shift & 3 == 0
}

/// Kinds of pictures of MPEG-1, 2 and 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Intra,
    Predicted,
    Bidirectional,
}

// The second field of an intra picture may be predicted from the first.
fn of_pictures(mut kinds: impl Iterator<Item = Kind>) -> PacketTraits {
    let first = kinds.next();
    PacketTraits {
        unreferenced: first == Some(Kind::Bidirectional)
            && kinds.all(|kind| kind == Kind::Bidirectional),
        intra: first == Some(Kind::Intra),
        ..PacketTraits::default()
    }
}

// Behind 00 00 01 00: a number of ten bits, and the kind in three.
fn mpeg2_kinds(packet: &[u8]) -> impl Iterator<Item = Kind> {
    coded(packet).filter_map(|unit| match unit {
        [0x00, _, second, ..] => match second >> 3 & 7 {
            1 => Some(Kind::Intra),
            3 => Some(Kind::Bidirectional),
            _ => Some(Kind::Predicted),
        },
        _ => None,
    })
}

// Behind 00 00 01 b6: the kind in two bits.
fn mpeg4_kinds(packet: &[u8]) -> impl Iterator<Item = Kind> {
    coded(packet).filter_map(|unit| match unit {
        [0xb6, first, ..] => match first >> 6 {
            0 => Some(Kind::Intra),
            2 => Some(Kind::Bidirectional),
            _ => Some(Kind::Predicted),
        },
        _ => None,
    })
}

// What stands behind each start code, to the end of the packet.
fn coded(packet: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        rest = &rest[nal::start_code(rest)? + 3..];
        Some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::Syntax;

    #[test]
    fn pictures_between_others_are_not_referred_to() {
        let mpeg2 = Syntax::new("mpeg2video", &[], false).unwrap();
        let picture = |kind: u8| [0, 0, 1, 0, 0, kind << 3, 0xff];
        assert!(mpeg2.read(&picture(1), true, false).intra);
        assert!(mpeg2.read(&picture(3), false, false).unreferenced);
        assert!(!mpeg2.read(&picture(2), false, true).unreferenced);
        let fields = [picture(1), picture(2)].concat();
        assert!(mpeg2.read(&fields, true, false).intra);
        let packed = [[0, 0, 1, 0xb6, 0x40], [0, 0, 1, 0xb6, 0x80]].concat();
        let mpeg4 = Syntax::new("mpeg4", &[], false).unwrap();
        assert!(!mpeg4.read(&packed, false, false).unreferenced);
        assert!(mpeg4.read(&packed[5..], false, false).unreferenced);
    }

    #[test]
    fn what_packets_do_not_say_is_left_to_the_container() {
        let of = |codec, intra| Syntax::new(codec, &[], intra);
        assert!(of("av1", false).unwrap().read(&[], true, false).intra);
        assert!(
            of("mjpeg", true)
                .unwrap()
                .read(&[], false, true)
                .unreferenced
        );
        assert!(of("gif", false).is_none());
    }

    #[test]
    fn keys_of_vp8_and_vp9_are_what_they_say() {
        let vp8 = Syntax::new("vp8", &[], false).unwrap();
        assert!(vp8.read(&[0x10], true, false).intra);
        assert!(!vp8.read(&[0x11], true, false).intra);
        assert!(vp8.read(&[0x01], false, false).hidden);
        let vp9 = Syntax::new("vp9", &[], false).unwrap();
        assert!(vp9.read(&[0b1000_0010], true, false).intra);
        assert!(!vp9.read(&[0b1000_0110], true, false).intra);
        assert!(!vp9.read(&[0b1000_1000], true, false).intra);
    }
}
