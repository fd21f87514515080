"""Figures of interleaved rounds: medians, spreads, paired ratios."""

import statistics


def median(values):
    return statistics.median(values) if values else None


def spread_percent(values):
    """(max - min) / median: how much one can trust a single round."""
    middle = median(values)
    return 100 * (max(values) - min(values)) / middle if middle else None


def paired_ratios(figures, others):
    """The ratios of what was measured in the same round."""
    return [a / b for a, b in zip(figures, others) if a is not None and b]


def paired_ratio(figures, others):
    """Their median; None without a common round."""
    return median(paired_ratios(figures, others))
