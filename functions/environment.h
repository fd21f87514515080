#pragma once

#include "functions/invoker_source.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::functions {

// The name of the function as AWS writes it: arn:aws:lambda:REGION:000000000000:function:NAME, and :VERSION behind it
// when it has one of its own.
[[nodiscard]] std::string FunctionArn(const Program& program);

// The environment of an instance whose Runtime API is at `runtime_api` (ADDRESS:PORT) and whose code is in `root`, an
// absolute path: what AWS sets, and what is configured, which may set anew what AWS lets be set (LANG, PATH, TZ, ...)
// but not what the instance goes by. `path` is PATH where none is configured. `stream` is a name of its own for its
// log.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> EnvironmentOf(const Program& program,
                                                                             std::string_view root,
                                                                             std::string_view runtime_api,
                                                                             std::string_view path,
                                                                             std::string_view stream);

}  // namespace weir::functions
