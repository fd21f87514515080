#pragma once

// Requests that were seen elsewhere, as questions to explain: a line of an access log, a curl command, a browser's
// recording. Thread: any, for every function.

#include "app/routing_test.h"
#include "base/result.h"
#include "control/explain.h"
#include "control/view.h"
#include "logs/entry.h"
#include "proxy/routing/explain.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// What a line of an access log asked. Of its headers the log has the user agent and the host alone. Fails for a line of
// a connection log, and for a request that was not understood then.
[[nodiscard]] Result<control::HttpQuestion> QuestionOfLog(const logs::Entry& entry);

// A curl command as a shell takes it, with quotes (also $'…'), backslashes and line breaks: what it would send. Options
// that say nothing of the request are passed over. Fails for a command that is none, names no URL, or does not end.
[[nodiscard]] Result<control::HttpQuestion> QuestionOfCurl(std::string_view command);

// The requests of a HAR file (HTTP Archive 1.2), in their order. Fails with what it lacks.
[[nodiscard]] Result<std::vector<control::HttpQuestion>> QuestionsOfHar(std::string_view text);

// Leads the question to a listener of `view`: that of the URL's port, else the only one that speaks the URL's scheme
// (of the load balancer that is named, if one is), because a rehearsal listens elsewhere than production. What it says
// then of it, for people; empty: the port fits. Fails where there is none, or more than one.
[[nodiscard]] Result<std::string> LeadToListener(const control::View& view, control::HttpQuestion& question);

// What the line of a log says that `now` does not: rule, action, target group, status, location.
[[nodiscard]] std::vector<Difference> DifferencesFromLog(const logs::Entry& then, const proxy::RequestExplanation& now);

// The port of an absolute URL, its scheme's where it names none; 0 for what is no URL.
[[nodiscard]] std::uint64_t PortOf(std::string_view url);
// The URL with the port `to`, where it names the port `from`.
[[nodiscard]] std::string WithPort(std::string_view url, std::uint64_t from, std::uint64_t to);

// False: it was answered before any rule was asked.
[[nodiscard]] bool TookARule(const logs::Entry& entry);
// By name where both have one, else by priority (0: the default rule).
[[nodiscard]] bool TookRule(const logs::Entry& entry, std::uint32_t priority, std::string_view name);

// `10`, `10 (beta)`, `default`.
[[nodiscard]] std::string RuleOfLog(const logs::Entry& entry);

}  // namespace weir::app
