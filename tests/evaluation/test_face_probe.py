"""Probes find what is there in straight lines, and nothing where there is nothing."""

from __future__ import annotations

import torch

from dreamactor.evaluation.face_probe import explained, fit_probe, retrieval_rate


def test_a_straight_line_is_found_and_noise_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(800, 6, generator=generator) * torch.tensor([1.0, 10, 0.1, 1, 1, 1]) + 3
    targets = torch.stack([2 * tokens[:, 0] - tokens[:, 2] + 5, torch.randn(800, generator=generator)], dim=1)
    probe = fit_probe(tokens[:400], targets[:400])
    line, noise = explained(probe.read(tokens[400:]), targets[400:]).tolist()
    assert line > 0.999
    assert noise < 0.05


def test_what_does_not_vary_has_no_share() -> None:
    assert bool(explained(torch.zeros(4, 1), torch.ones(4, 1)).isnan())


def test_identities_are_found_where_tokens_hold_them() -> None:
    generator = torch.Generator().manual_seed(0)
    people = torch.randn(50, 8, generator=generator)
    assert retrieval_rate(people + 0.01, torch.arange(50), people) == 1.0
    strangers = [retrieval_rate(torch.randn(50, 8, generator=generator), torch.arange(50), people) for _ in range(20)]
    assert sum(strangers) / 20 < 0.06
