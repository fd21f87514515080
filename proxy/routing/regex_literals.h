#pragma once

#include "proxy/routing/text_pattern.h"

#include <string>
#include <string_view>

namespace weir::proxy {

// What can be said about the texts that a regular expression matches without running it. The expressions are in RE2's
// syntax and valid (TextPattern::Regex has taken them), the texts visible ASCII. Answers are in lower case when case is
// ignored. Both err on the side of less: a shorter literal, or none. Pure functions; time linear in the expression but
// for malformed named classes. Thread: any.

// What every text that the expression matches begins with; empty when it is not anchored. `^/api/v[0-9]` -> `/api/v`.
[[nodiscard]] std::string LiteralPrefixOf(std::string_view regex, CaseRule case_rule);

// The longest run of bytes that every text that the expression matches contains, the first of equally long ones; empty
// when none is known. Only what stands outside of groups counts. `^/v[0-9]+/app7/[a-z]+$` -> `/app7/`.
[[nodiscard]] std::string RequiredLiteralOf(std::string_view regex, CaseRule case_rule);

}  // namespace weir::proxy
