"""Writes a Wan-Animate pipeline of random weights in diffusers' layout, small enough for tests."""

from __future__ import annotations

from pathlib import Path

import torch


def write_tiny_wan(folder: Path) -> Path:
    """The folder of a pipeline; needs the packages of the extra `wan`."""
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanAnimatePipeline, WanAnimateTransformer3DModel
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        CLIPVisionModel,
        PreTrainedTokenizerFast,
        UMT5Config,
        UMT5EncoderModel,
    )

    torch.manual_seed(0)
    words = Tokenizer(models.WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2, "person": 3}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    pipeline = WanAnimatePipeline(
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"),
        text_encoder=UMT5EncoderModel(UMT5Config(vocab_size=8, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)),
        vae=AutoencoderKLWan(
            base_dim=2, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0),
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8}),
        image_encoder=CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2, image_size=8, patch_size=4
            )
        ),
        transformer=WanAnimateTransformer3DModel(
            num_attention_heads=2, attention_head_dim=16, in_channels=36, latent_channels=16, text_dim=8, freq_dim=16,
            ffn_dim=32, num_layers=2, image_dim=8, added_kv_proj_dim=32, rope_max_seq_len=64,
            motion_encoder_channel_sizes={"4": 8, "8": 8, "16": 8}, motion_encoder_size=16, motion_style_dim=8, motion_dim=4,
            motion_encoder_dim=8, face_encoder_hidden_dim=8, face_encoder_num_heads=2, inject_face_latents_blocks=1,
        ),
    )  # fmt: skip
    with torch.no_grad():  # a random network that changes nothing would prove nothing
        for parameter in pipeline.transformer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    pipeline.save_pretrained(folder)
    return folder


def write_gguf(folder: Path, file: Path) -> Path:
    """The transformer of `write_tiny_wan` in 8 bits a weight; needs the package gguf."""
    import gguf
    from safetensors.torch import load_file

    writer = gguf.GGUFWriter(file, arch="wan")
    eight_bits = gguf.GGMLQuantizationType.Q8_0
    for name, value in load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors").items():
        data = value.float().numpy()
        # Files of this kind have Wan's own names, in which the second and third norms are exchanged.
        original = name.replace("norm2", "norm3")
        if "blocks." in name and data.ndim == 2 and data.shape[1] % 32 == 0 and "face" not in name and "motion" not in name:
            writer.add_tensor(original, gguf.quants.quantize(data, eight_bits), raw_dtype=eight_bits)
        else:
            writer.add_tensor(original, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
