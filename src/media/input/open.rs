//! Opening a file with FFmpeg: what it may read of the machine, and what ends it.
#![expect(
    unsafe_code,
    reason = "FFmpeg is C, and its crate opens files without these limits"
)]

use crate::media::decode::memory::MOST_PIXELS;
use crate::media::stop::StopFlag;
use ffmpeg_next::error::Error;
use ffmpeg_next::ffi;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::util::interrupt;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;
use std::time::Instant;

/// The longest that the headers of a file are looked for.
pub(super) const LONGEST_OPENING: Duration = Duration::from_secs(60);

/// Opens a file and reads its headers, with one of `demuxers` (names between commas) and nothing
/// else; `format` is the one to take where that is known. Neither the headers nor the packets
/// lead to another file or to a host: of protocols there is `file` alone, and once the file is
/// open nothing more is opened. Once `stop` is set, whatever FFmpeg reads ends, in the middle of
/// a packet too.
pub(super) fn open(
    path: &Path,
    demuxers: &CStr,
    format: Option<&CStr>,
    stop: &StopFlag,
) -> Result<Input, Error> {
    let url = CString::new([b"file:", path.as_os_str().as_encoded_bytes()].concat())
        .map_err(|_| Error::InvalidData)?;
    let (stop, begun) = (stop.clone(), Instant::now());
    let opened = Arc::new(OnceLock::new());
    let is_open = Arc::clone(&opened);
    let interrupt = interrupt::new(Box::new(move || {
        stop.is_set() || is_open.get().is_none() && begun.elapsed() > LONGEST_OPENING
    }));
    let mut options = ptr::null_mut();
    // SAFETY: every pointer is a local that outlives the call, static, or null where null is
    // allowed; what the interrupt points to lives as long as `interrupt.guard`, which the input
    // keeps. On failure FFmpeg frees the context itself; the options are freed in either case.
    let mut input = unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(Error::Unknown);
        }
        (*context).interrupt_callback = interrupt.interrupt;
        let mut set = |key: &CStr, value: &CStr| {
            ffi::av_dict_set(&raw mut options, key.as_ptr(), value.as_ptr(), 0);
        };
        set(c"protocol_whitelist", c"file");
        set(c"format_whitelist", demuxers);
        let format = format.map_or(ptr::null(), |name| ffi::av_find_input_format(name.as_ptr()));
        let failed = ffi::avformat_open_input(
            &raw mut context,
            url.as_ptr(),
            format as _,
            &raw mut options,
        );
        ffi::av_dict_free(&raw mut options);
        if failed < 0 {
            return Err(Error::from(failed));
        }
        (*context).io_open = Some(open_nothing);
        Input::wrap_with_interrupt(context, interrupt.guard)
    };
    find_streams(&mut input)?;
    opened.get_or_init(|| ());
    Ok(input)
}

// Reads as far as the streams are known. Where that takes a decoder, it has the bounds of all.
fn find_streams(input: &mut Input) -> Result<(), Error> {
    let most = CString::new(MOST_PIXELS.to_string()).map_err(|_| Error::InvalidData)?;
    // SAFETY: the context is valid and borrowed mutably. FFmpeg takes a dictionary for each stream
    // that there is when it is called, and leaves in it what it had no use for.
    let found = unsafe {
        let context = input.as_mut_ptr();
        let mut options = vec![ptr::null_mut(); (*context).nb_streams as usize];
        for options in &mut options {
            ffi::av_dict_set(options, c"max_pixels".as_ptr(), most.as_ptr(), 0);
        }
        let found = ffi::avformat_find_stream_info(context, options.as_mut_ptr());
        for options in &mut options {
            ffi::av_dict_free(options);
        }
        found
    };
    if found < 0 {
        return Err(Error::from(found));
    }
    Ok(())
}

/// Whether a file was not opened because its demuxer is none of those that may be taken.
pub(super) fn is_refused(error: Error) -> bool {
    matches!(error, Error::Other { errno } if errno == ffmpeg_next::util::error::EINVAL)
}

// What a demuxer is told that wants to open one more file.
unsafe extern "C" fn open_nothing(
    _: *mut ffi::AVFormatContext,
    _: *mut *mut ffi::AVIOContext,
    _: *const c_char,
    _: c_int,
    _: *mut *mut ffi::AVDictionary,
) -> c_int {
    ffi::AVERROR(ffmpeg_next::util::error::EPERM)
}
