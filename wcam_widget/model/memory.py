"""Out of memory: how torch says it, and how the batch size backs off."""

import torch

_CPU_AND_LIBRARY_WORDS = (
    "DefaultCPUAllocator",
    "not enough memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that the batch did not fit into memory.

    Torch raises OutOfMemoryError on an accelerator, but a plain RuntimeError on the CPU and inside cuBLAS.

    >>> is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    True
    >>> is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    False
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _CPU_AND_LIBRARY_WORDS)
