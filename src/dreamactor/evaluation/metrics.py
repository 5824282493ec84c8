"""Every metric of a clip: what it is called, its unit, and which way it is good."""

from __future__ import annotations

from typing import Final

from dreamactor.evaluation.scores import Metric

METRICS: Final = {
    "psnr_person": Metric(label="PSNR person", unit="dB", better="higher"),
    "psnr_head": Metric(label="PSNR head", unit="dB", better="higher"),
    "psnr_hands": Metric(label="PSNR hands", unit="dB", better="higher"),
    "psnr_frame": Metric(label="PSNR frame", unit="dB", better="higher"),
    "ssim_person": Metric(label="SSIM person", unit="", better="higher"),
    "ssim_head": Metric(label="SSIM head", unit="", better="higher"),
    "ssim_hands": Metric(label="SSIM hands", unit="", better="higher"),
    "ssim_frame": Metric(label="SSIM frame", unit="", better="higher"),
    "lpips": Metric(label="LPIPS", unit="", better="lower"),
    "actor_perceptual": Metric(label="actor-perceptual", unit="", better="lower"),
    "joint_error_body": Metric(label="joint error body", unit="% of torso", better="lower"),
    "joint_error_hands": Metric(label="joint error hands", unit="% of torso", better="lower"),
    "joint_error_feet": Metric(label="joint error feet", unit="% of torso", better="lower"),
    "head_angle_error": Metric(label="head angle error", unit="degrees", better="lower"),
    "head_yaw_error": Metric(label="head yaw error", unit="degrees", better="lower"),
    "expression_error": Metric(label="expression error", unit="", better="lower"),
    "lid_error": Metric(label="lid error", unit="", better="lower"),
    "lip_correlation": Metric(label="lip-sync correlation", unit="", better="higher"),
    "lip_offset_frames": Metric(label="lip-sync offset", unit="frames", better="zero"),
    "identity_rank1": Metric(label="identity rank-1 of 50", unit="%", better="higher"),
    "identity_likeness": Metric(label="identity likeness", unit="", better="higher"),
    "sharpness_person": Metric(label="sharpness person", unit="x truth", better="one"),
    "flicker_person": Metric(label="flicker person", unit="of 255", better="lower"),
    "background_change": Metric(label="background change", unit="of 255", better="lower"),
    "drift_colour": Metric(label="drift colour", unit="of 255", better="lower"),
    "drift_sharpness": Metric(label="drift sharpness", unit="log", better="zero"),
    "drift_identity": Metric(label="drift identity", unit="cosine", better="zero"),
}
"""In the order of reports."""


def badness(name: str, value: float) -> float:
    """How bad a number is, comparable within one metric: smaller is better."""
    match METRICS[name].better:
        case "higher":
            return -value
        case "one":
            return abs(value - 1)
        case "zero":
            return abs(value)
    return value
