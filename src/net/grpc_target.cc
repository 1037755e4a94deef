#include "net/grpc_target.h"

#include <utility>

#include "weir/base/status.h"

namespace weir::net {
namespace {

// Drops `prefix` from the front of `text`, if it is there.
bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

// "//authority/rest" and "/rest" become "rest": the server to ask is none of our choices.
std::string_view WithoutUriAuthority(std::string_view text) {
  if (Consume(text, "//")) {
    const std::size_t slash = text.find('/');
    return slash == std::string_view::npos ? text : text.substr(slash + 1);
  }
  return text;
}

absl::StatusOr<GrpcTarget> ParseUnix(std::string_view path, bool abstract) {
  Consume(path, "//");
  if (path.empty()) {
    return InvalidArgument("unix socket path is empty");
  }
  GrpcTarget target{.hosts = {}, .unix_path = std::string(path), .authority = "localhost"};
  if (abstract) {
    target.unix_path.insert(target.unix_path.begin(), '\0');
  }
  return target;
}

absl::StatusOr<HostPort> ParseHost(std::string_view text) {
  WEIR_ASSIGN_OR_RETURN(HostPort host, ParseHostPort(text));
  if (host.host.empty()) {
    host.host = "localhost";
  }
  if (host.host.find_first_of(" /@?#\t\r\n") != std::string::npos) {
    return InvalidArgument("\"{}\" is no host", host.host);
  }
  return host;
}

absl::StatusOr<GrpcTarget> ParseAddressList(std::string_view list) {
  GrpcTarget target;
  list = WithoutUriAuthority(list);
  while (true) {
    const std::size_t comma = list.find(',');
    WEIR_ASSIGN_OR_RETURN(HostPort host, ParseHost(list.substr(0, comma)));
    target.hosts.push_back(std::move(host));
    if (comma == std::string_view::npos) {
      break;
    }
    list.remove_prefix(comma + 1);
  }
  target.authority = target.hosts.front().host;
  return target;
}

}  // namespace

absl::StatusOr<GrpcTarget> ParseGrpcTarget(std::string_view text) {
  if (Consume(text, "unix-abstract:")) {
    return ParseUnix(text, true);
  }
  if (Consume(text, "unix:")) {
    return ParseUnix(text, false);
  }
  if (Consume(text, "ipv4:") || Consume(text, "ipv6:")) {
    return ParseAddressList(text);
  }
  const bool tls = Consume(text, "https://");
  if (tls || Consume(text, "http://")) {
    text = text.substr(0, text.ends_with('/') ? text.size() - 1 : text.size());
  } else if (Consume(text, "dns:") || Consume(text, "passthrough:")) {
    text = WithoutUriAuthority(text);
  } else if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    return InvalidArgument(
        "scheme \"{}\" is not supported: use dns, passthrough, unix, http or https",
        text.substr(0, scheme));
  }
  WEIR_ASSIGN_OR_RETURN(HostPort host, ParseHost(text));
  return GrpcTarget{
      .hosts = {std::move(host)}, .unix_path = "", .authority = std::string(text), .tls = tls};
}

}  // namespace weir::net
