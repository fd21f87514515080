"""Figures of interleaved rounds: medians, spreads, paired ratios."""

import statistics


def median(values):
    return statistics.median(values) if values else None


def spread_percent(values):
    """(max - min) / median: how much one can trust a single round."""
    middle = median(values)
    return 100 * (max(values) - min(values)) / middle if middle else None


def paired_ratio(figures, others):
    """The median of the ratios of what was measured in the same round; None without a common round."""
    ratios = [a / b for a, b in zip(figures, others) if a is not None and b]
    return median(ratios)


def percentile(sorted_values, share):
    """Nearest rank; `sorted_values` is not empty."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]
