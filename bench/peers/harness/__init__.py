"""The parts of bench/peers/run: processes, load generators, peers, scenarios, statistics, report."""
