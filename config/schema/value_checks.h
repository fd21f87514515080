#pragma once

// What one value of a condition shows by itself: that it is none of its kind, or that nothing can match it. Errors and
// warnings say what the value is compared with (docs/configuration.md, spec: alb.md 4.2). Regular expressions are
// looked at as far as their ends and their plain texts show it. Columns of config/schema/conditions.cc. Thread: the one
// that loads.

#include "config/model.h"

#include <string_view>

namespace weir::config {

class Findings;

// RFC 9110 5.6.2.
[[nodiscard]] bool IsToken(std::string_view text);

void CheckHostPattern(const LocatedText& pattern, Findings& findings);
void CheckHostRegex(const LocatedText& regex, Findings& findings);
void CheckPathPattern(const LocatedText& pattern, Findings& findings);
void CheckPathRegex(const LocatedText& regex, Findings& findings);
void CheckFieldPattern(const LocatedText& pattern, Findings& findings);
void CheckFieldRegex(const LocatedText& regex, Findings& findings);
void CheckQueryKey(const LocatedText& pattern, Findings& findings);
void CheckQueryValue(const LocatedText& pattern, Findings& findings);
void CheckMethod(const LocatedText& method, Findings& findings);

}  // namespace weir::config
