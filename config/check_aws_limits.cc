#include "config/checks.h"
#include "config/findings.h"
void weir::config::CheckAwsLimits(const Model&, Findings&) {}
