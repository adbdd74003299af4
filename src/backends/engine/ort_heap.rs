//! What ONNX Runtime takes for tensors and weights: it comes from the heap of this program, where it
//! is charged to the account of the thread.
#![expect(
    unsafe_code,
    reason = "to ONNX Runtime an allocator is a table of C functions"
)]

use crate::backends::engine::network::EngineError;
use ::ort::AsPointer;
use ::ort::Error;
use ::ort::environment::Environment;
use ::ort::memory::AllocationDevice;
use ::ort::memory::AllocatorType;
use ::ort::memory::MemoryInfo;
use ::ort::memory::MemoryType;
use ::ort::sys::ORT_API_VERSION;
use ::ort::sys::OrtAllocator;
use ::ort::sys::OrtMemoryInfo;
use std::alloc::Layout;
use std::ffi::c_void;
use std::ptr::null_mut;

/// What the address of a tensor is a multiple of, as ONNX Runtime's own allocator has it. So many
/// bytes before it are ours: they hold its size.
const ALIGN: usize = 256;

#[repr(C)]
struct OrtHeap {
    // First, since ONNX Runtime knows no more of it than this.
    functions: OrtAllocator,
    device: MemoryInfo<'static>,
}

/// Has the sessions of `environment` that ask for its allocators take from this heap.
pub(super) fn register(environment: &Environment) -> Result<(), EngineError> {
    let device = MemoryInfo::new(
        AllocationDevice::CPU,
        0,
        AllocatorType::Device,
        MemoryType::Default,
    );
    let functions = OrtAllocator {
        version: ORT_API_VERSION,
        Alloc: Some(alloc),
        Free: Some(free),
        Info: Some(info),
        Reserve: Some(reserve),
    };
    // It lasts as long as the library, which is as long as the program.
    let heap = Box::leak(Box::new(OrtHeap {
        functions,
        device: device.map_err(EngineError::new)?,
    }));
    let allocator = (&raw mut *heap).cast();
    let environment = environment.ptr().cast_mut();
    // SAFETY: both last, and the table is whole.
    unsafe {
        let status = (::ort::api().RegisterAllocator)(environment, allocator);
        Error::result_from_status(status).map_err(EngineError::new)
    }
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(ALIGN)?, ALIGN).ok()
}

fn taken(size: usize) -> *mut c_void {
    let Some(layout) = layout(size) else {
        return null_mut();
    };
    // SAFETY: the layout is of more than nothing, and its first bytes have room for a number.
    unsafe {
        let begin = std::alloc::alloc(layout);
        if begin.is_null() {
            return null_mut();
        }
        begin.cast::<usize>().write(size);
        begin.add(ALIGN).cast()
    }
}

unsafe extern "system" fn alloc(_: *mut OrtAllocator, size: usize) -> *mut c_void {
    taken(size)
}

unsafe extern "system" fn reserve(_: *const OrtAllocator, size: usize) -> *mut c_void {
    taken(size)
}

unsafe extern "system" fn free(_: *mut OrtAllocator, place: *mut c_void) {
    if place.is_null() {
        return;
    }
    // SAFETY: what is given back was taken above, with its size before it.
    unsafe {
        let begin = place.cast::<u8>().sub(ALIGN);
        if let Some(layout) = layout(begin.cast::<usize>().read()) {
            std::alloc::dealloc(begin, layout);
        }
    }
}

unsafe extern "system" fn info(heap: *const OrtAllocator) -> *const OrtMemoryInfo {
    // SAFETY: the one table that there is, which is the begin of this.
    unsafe { (*heap.cast::<OrtHeap>()).device.ptr() }
}
