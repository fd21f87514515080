#include "bench/load/dns/query_sources.h"

#include "dns/wire/types.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::string_view kBlank = " \t\r";
// More wrong lines than these say nothing new.
constexpr std::size_t kErrorsMax = 20;

// Collects what is wrong with a file.
class LineErrors {
 public:
  explicit LineErrors(const std::string& file) : file_(file) {}
  void Add(std::size_t line, const Error& error) {
    ++count_;
    if (count_ > kErrorsMax) return;
    text_ += file_ + ":" + std::to_string(line) + ": error: " + error.message;
    if (!error.hint.empty()) text_ += "; " + error.hint;
    text_ += '\n';
  }
  [[nodiscard]] bool any() const { return count_ > 0; }
  [[nodiscard]] SourceErrors Take() {
    if (count_ > kErrorsMax) text_ += file_ + ": " + std::to_string(count_ - kErrorsMax) + " more lines are wrong\n";
    return {std::move(text_)};
  }

 private:
  std::string file_;
  std::string text_;
  std::size_t count_ = 0;
};

// The words of a line; `limit` bounds how many are looked for.
std::vector<std::string_view> Words(std::string_view line, std::size_t limit) {
  std::vector<std::string_view> words;
  while (words.size() < limit) {
    const auto begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(kBlank), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

// Calls `read(words)`, which gives an optional Error, for each line that is not empty or a comment.
template <class Read>
std::optional<SourceErrors> ReadLines(std::string_view text, const std::string& file, std::string_view comment_marks,
                                      Read read) {
  LineErrors errors(file);
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto words = Words(text.substr(0, end), 3);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (++number > kSourceLinesMax) {
      errors.Add(number, {"more than " + std::to_string(kSourceLinesMax) + " lines", "split the file"});
      break;
    }
    if (words.empty() || comment_marks.find(words[0][0]) != std::string_view::npos) continue;
    if (const std::optional<Error> error = read(words)) errors.Add(number, *error);
  }
  if (errors.any()) return errors.Take();
  return std::nullopt;
}

std::optional<Error> CheckType(std::string_view text, std::optional<std::uint16_t> type) {
  if (!type) return Error{"'" + std::string(text) + "' is no record type", "use a mnemonic such as A, or TYPEnnn"};
  if (*type == rr::kAxfr || *type == rr::kIxfr || *type == rr::kOpt || *type == rr::kTsig) {
    return Error{RecordTypeName(*type) + " cannot be asked as a query of one message", "ask for a type of record"};
  }
  return std::nullopt;
}

}  // namespace

Result<Question> ParseQuestion(std::string_view name, std::string_view type) {
  auto parsed = dns::Name::Parse(name);
  if (!parsed) return std::unexpected(parsed.error());
  const auto number = ParseRecordType(type);
  if (auto error = CheckType(type, number)) return std::unexpected(*std::move(error));
  return Question{*parsed, *number};
}

SourceResult<Question> ParseQueries(std::string_view text, const std::string& file) {
  std::vector<Question> questions;
  auto errors = ReadLines(text, file, ";#", [&](const std::vector<std::string_view>& words) -> std::optional<Error> {
    if (words.size() != 2) {
      return Error{words.size() == 1 ? "a name without a type" : "more than a name and a type",
                   "write NAME TYPE, such as www.example.test A"};
    }
    auto question = ParseQuestion(words[0], words[1]);
    if (!question) return question.error();
    questions.push_back(*question);
    return std::nullopt;
  });
  if (errors) return std::unexpected(*std::move(errors));
  if (questions.empty()) {
    return std::unexpected(SourceErrors{file + ": error: no query in it; write NAME TYPE on each line\n"});
  }
  return questions;
}

SourceResult<CidrBlock> ParseSubnets(std::string_view text, const std::string& file) {
  std::vector<CidrBlock> subnets;
  auto errors = ReadLines(text, file, "#", [&](const std::vector<std::string_view>& words) -> std::optional<Error> {
    if (words.size() != 1) return Error{"more than one block on a line", "write one CIDR block on each line"};
    const auto block = CidrBlock::Parse(words[0]);
    if (!block) return block.error();
    subnets.push_back(*block);
    return std::nullopt;
  });
  if (errors) return std::unexpected(*std::move(errors));
  if (subnets.empty()) {
    return std::unexpected(SourceErrors{file + ": error: no subnet in it; write one CIDR block on each line\n"});
  }
  return subnets;
}

std::vector<Question> SweepZones(const config::Model& model) {
  std::vector<Question> questions;
  std::set<std::pair<std::string_view, std::uint16_t>> seen;
  const auto add = [&](const std::string& name, std::uint16_t type) {
    if (!seen.emplace(name, type).second) return;
    const auto parsed = dns::Name::Parse(name.starts_with("*.") ? "sweep" + name.substr(1) : name);
    if (parsed) questions.push_back({*parsed, type});
  };
  for (const auto& zone : model.zones) {
    add(zone->name, rr::kSoa);
    add(zone->name, rr::kNs);
    for (const auto& record : zone->records) add(record.name, record.type);
  }
  return questions;
}

Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  // A directory opens, and fails when it is read.
  if (!file || file.bad()) return Failure("cannot read " + path + ": " + std::strerror(errno));
  return text;
}

}  // namespace weir::bench
