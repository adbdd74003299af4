//! The demuxers of FFmpeg that may read an input: containers and streams that are one file.
//!
//! A list of what is allowed, since a name in a file of a stranger must not lead to another file
//! or to a host: playlists and manifests (DASH, HLS, `ffconcat`, IMF, SDP), patterns of pictures,
//! devices and scripts are not on it.

use std::ffi::CStr;

/// Their names, as `format_whitelist` of FFmpeg takes them.
pub(super) const DEMUXERS: &CStr = c"\
    mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,asf_o,ogg,mxf,\
    gxf,dv,nut,rm,wtv,ty,pva,nsv,nuv,dhav,kux,cine,ivf,ivr,srt,webvtt,ass,\
    h261,h263,h264,hevc,vvc,m4v,vc1,vc1test,obu,av1,cavsvideo,avs2,avs3,dirac,dnxhd,evc,\
    mjpeg,mjpeg_2000,mpjpeg,smjpeg,apng,gif,webp_pipe,yuv4mpegpipe,swf,flic,\
    wav,w64,aiff,au,caf,amr,amrnb,amrwb,mp3,aac,loas,ac3,eac3,dts,dtshd,truehd,mlp,flac,wv,tta,ape,\
    tak,mpc,mpc8,voc,sox,dsf,iff,oma,gsm,qcp,aptx,sbc,tty";
