#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::logs {

// The lines of one file, plain or compressed by gzip (RFC 1952, several members too), however large: about a megabyte
// is held. Blocks on the file system. Thread: one owner.
class LineSource {
 public:
  // A longer line is cut: nobody writes one.
  static constexpr std::size_t kLineBytesMax = 1 << 20;

  // `path` `-` is standard input. Fails with the reason when it cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<LineSource>> Open(const std::string& path);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  // The next line without its end (LF or CRLF), which holds until the next call. Absent at the end of the file, where
  // the last line counts without an end too unless `waits_for_end` is set; what is written behind it later is read by
  // later calls. Fails when the file cannot be read, or is not what its first bytes say.
  [[nodiscard]] Result<std::optional<std::string_view>> Next();
  // A line that is being written is not given before its end is.
  void set_waits_for_end(bool waits) { waits_for_end_ = waits; }
  // The file was replaced or cut short: it is opened anew, and read from its start. Also when it is not there at the
  // moment: false.
  bool ReopenIfReplaced();

  [[nodiscard]] const std::string& path() const { return path_; }
  // Of the last line, from 1.
  [[nodiscard]] std::uint64_t line_number() const { return line_number_; }

 private:
  class Gunzip;
  LineSource(std::string path, UniqueFd fd);
  // True: something was added; false: the end.
  [[nodiscard]] Result<bool> Fill();
  [[nodiscard]] Result<std::size_t> ReadSome(char* to, std::size_t size);

  std::string path_;
  UniqueFd fd_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t searched_ = 0;  // no line end before it
  std::uint64_t read_bytes_ = 0;
  std::uint64_t line_number_ = 0;
  bool started_ = false;
  bool waits_for_end_ = false;
  bool skips_line_ = false;  // the rest of one that was cut
  std::unique_ptr<Gunzip> gunzip_;
};

}  // namespace weir::logs
