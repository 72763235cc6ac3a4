"""Weights in 8 bits on the CPU: a token's time is the time to read the weights, so a quarter of the bytes is worth having.

Each output channel of a linear layer is rounded to -127..127 of its own scale (absmax, weight only; activations stay
bfloat16), as in Dettmers et al. 2022, "LLM.int8()", without its outliers, which small models have not. `torch.ao`'s dynamic
quantisation does as much, but is deprecated and takes four times as long to prepare.
"""

import torch
from torch import nn

_FEW_ROWS = 8  # up to so many tokens at once the packed product is faster than unpacking the weights first


class Int8Linear(nn.Module):
    """A linear layer without bias whose weights are int8 with one bfloat16 scale per output channel."""

    weight: torch.Tensor
    scale: torch.Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        full = layer.weight.detach().float()
        scale = full.abs().amax(dim=1).clamp(min=1e-8) / 127
        self.register_buffer("weight", torch.round(full / scale[:, None]).to(torch.int8))
        self.register_buffer("scale", scale.to(torch.bfloat16))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The product of inputs (..., in) and weights, (..., out), in bfloat16."""
        rows = inputs.reshape(-1, inputs.shape[-1])
        if rows.shape[0] <= _FEW_ROWS:
            product = torch.ops.aten._weight_int8pack_mm(rows, self.weight, self.scale)
        else:
            product = rows @ (self.weight.to(torch.bfloat16) * self.scale[:, None]).T
        result: torch.Tensor = product.reshape(*inputs.shape[:-1], -1)
        return result


def quantize(model: nn.Module) -> None:
    """Put `Int8Linear` in the place of every linear layer without bias of a bfloat16 model."""
    for name, child in list(model.named_children()):
        if isinstance(child, nn.Linear) and child.bias is None:
            setattr(model, name, Int8Linear(child))
        else:
            quantize(child)


def is_fast() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; without, float32 is faster than 8 bits."""
    flags = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, flag)() for flag in flags if hasattr(torch.cpu, flag))
