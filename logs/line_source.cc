#include "logs/line_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::logs {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::string_view kGzipMagic = "\x1f\x8b";

}  // namespace

// Takes what was read and gives what it holds.
class LineSource::Gunzip {
 public:
  Gunzip() {
    constexpr int kGzipAlone = 16 + MAX_WBITS;
    ready_ = inflateInit2(&stream_, kGzipAlone) == Z_OK;
  }
  ~Gunzip() { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  [[nodiscard]] bool wants_input() const { return stream_.avail_in == 0; }
  [[nodiscard]] std::vector<char>& input() { return input_; }
  void SetInput(std::size_t size) {
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(size);
  }
  // Bytes written to `to`; absent: this is not gzip.
  [[nodiscard]] std::optional<std::size_t> Inflate(char* to, std::size_t size) {
    if (!ready_) return std::nullopt;
    if (member_ended_) {
      if (inflateReset(&stream_) != Z_OK) return std::nullopt;
      member_ended_ = false;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      member_ended_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return std::nullopt;
    }
    return size - stream_.avail_out;
  }
  // Nothing of a member is missing.
  [[nodiscard]] bool at_boundary() const { return member_ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool member_ended_ = false;
  std::vector<char> input_ = std::vector<char>(64 * 1024);
};

Result<std::unique_ptr<LineSource>> LineSource::Open(const std::string& path) {
  UniqueFd fd(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Failure(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  struct stat about{};
  if (::fstat(fd.get(), &about) == 0 && S_ISDIR(about.st_mode)) {
    return Failure(fmt::format("cannot read {}: it is a directory", path), "name its files, for example with *.log");
  }
  return std::unique_ptr<LineSource>(new LineSource(path, std::move(fd)));
}

LineSource::LineSource(std::string path, UniqueFd fd)
    : path_(std::move(path)), fd_(std::move(fd)), buffer_(kBlockBytes) {}
LineSource::~LineSource() = default;

Result<std::size_t> LineSource::ReadSome(char* to, std::size_t size) {
  while (true) {
    const ssize_t got = ::read(fd_.get(), to, size);
    if (got >= 0) {
      read_bytes_ += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) return Failure(fmt::format("cannot read {}: {}", path_, std::strerror(errno)));
  }
}

Result<bool> LineSource::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    searched_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::min(buffer_.size() * 2, kLineBytesMax + kBlockBytes));
  char* const to = buffer_.data() + end_;
  const std::size_t room = buffer_.size() - end_;
  if (!started_) {
    // The first bytes say what the file is; a file that is still empty says it later.
    const auto got = ReadSome(to, room);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return false;
    started_ = true;
    if (!std::string_view(to, *got).starts_with(kGzipMagic)) {
      end_ += *got;
      return true;
    }
    gunzip_ = std::make_unique<Gunzip>();
    gunzip_->input().resize(std::max(gunzip_->input().size(), *got));
    std::copy_n(to, *got, gunzip_->input().data());
    gunzip_->SetInput(*got);
  }
  if (gunzip_ == nullptr) {
    const auto got = ReadSome(to, room);
    if (!got) return std::unexpected(got.error());
    end_ += *got;
    return *got > 0;
  }
  while (true) {
    if (gunzip_->wants_input()) {
      const auto got = ReadSome(gunzip_->input().data(), gunzip_->input().size());
      if (!got) return std::unexpected(got.error());
      if (*got == 0) {
        if (gunzip_->at_boundary()) return false;
        if (waits_for_end_) return false;
        gunzip_ = std::make_unique<Gunzip>();
        return Failure(fmt::format("{} ends in the middle of its compressed data", path_));
      }
      gunzip_->SetInput(*got);
    }
    const auto made = gunzip_->Inflate(to, room);
    if (!made) return Failure(fmt::format("{} is damaged: its compressed data cannot be read", path_));
    if (*made == 0) continue;
    end_ += *made;
    return true;
  }
}

Result<std::optional<std::string_view>> LineSource::Next() {
  while (true) {
    const char* const data = buffer_.data();
    const void* const found = std::memchr(data + searched_, '\n', end_ - searched_);
    const bool is_long = found == nullptr && end_ - begin_ >= kLineBytesMax;
    if (found != nullptr || is_long) {
      const std::size_t at = is_long ? end_ : static_cast<std::size_t>(static_cast<const char*>(found) - data);
      std::string_view line(data + begin_, at - begin_);
      begin_ = searched_ = is_long ? at : at + 1;
      if (std::exchange(skips_line_, is_long)) continue;
      ++line_number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      return line;
    }
    searched_ = end_;
    const auto filled = Fill();
    if (!filled) return std::unexpected(filled.error());
    if (*filled) continue;
    if (end_ == begin_ || waits_for_end_) return std::nullopt;
    std::string_view line(buffer_.data() + begin_, end_ - begin_);
    begin_ = searched_ = end_;
    if (std::exchange(skips_line_, false)) return std::nullopt;
    ++line_number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
}

bool LineSource::ReopenIfReplaced() {
  if (path_ == "-") return false;
  struct stat there{};
  struct stat open{};
  if (::stat(path_.c_str(), &there) != 0 || ::fstat(fd_.get(), &open) != 0) return false;
  const bool same = there.st_dev == open.st_dev && there.st_ino == open.st_ino;
  if (same && static_cast<std::uint64_t>(there.st_size) >= read_bytes_) return false;
  UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return false;
  fd_ = std::move(fd);
  begin_ = end_ = searched_ = 0;
  read_bytes_ = 0;
  line_number_ = 0;
  started_ = skips_line_ = false;
  gunzip_.reset();
  return true;
}

}  // namespace weir::logs
