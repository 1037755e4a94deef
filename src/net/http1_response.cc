// Answers, and what they mean for the requests behind them.

#include <charconv>
#include <utility>

#include "net/http1_session.h"
#include "weir/base/check.h"

namespace weir::net {
namespace {

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

void AppendNumber(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, end);
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(": ");
  out.append(value);
  out.append("\r\n");
}

}  // namespace

void Http1Request::Respond(const HttpResponse& response) {
  if (session_ == nullptr) {
    Recycle();
    return;
  }
  session_->Answer(*this, response);
}

void Http1Request::RespondGrpc(const GrpcStatus&, std::string_view) {
  WEIR_CHECK(session_ == nullptr && "gRPC is not spoken over HTTP/1");
  Recycle();
}

void Http1Request::RespondGrpcOk() { RespondGrpc({}, {}); }

void Http1Request::Recycle() {
  ServerContext& owner = *context_;
  head_ = HeadRef();
  peer_.reset();
  attachment_.reset();
  cancelled_ = false;
  session_ = nullptr;
  owner.requests.Return(*this);
}

// An answer to what is no request, after which nothing on the connection can be understood.
void Http1Session::Reject(int status) {
  Count(context_.counters.connection_errors);
  host_.out.append("HTTP/1.1 ");
  AppendNumber(host_.out, static_cast<std::uint64_t>(status));
  host_.out.append(" ");
  host_.out.append(Reason(status));
  host_.out.append("\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  Close();
}

void Http1Session::Answer(Http1Request& request, const HttpResponse& response) {
  WEIR_DCHECK(request_ == &request);
  const RequestHead& head = request.head();
  const bool keep_alive = context_.options.keep_alives_enabled && !draining_ && !read_closed_ &&
                          (head.version() == HttpVersion::k11 ? !head.connection_close()
                                                              : head.connection_keep_alive());
  // A client that waits for "100 Continue" and gets an answer may send its body or not: nobody can
  // know what comes next.
  const bool body_pending = answered_early_ && (skip_ > 0 || head.chunked());
  const bool close = !keep_alive || broken_ ||
                     (body_pending && (skip_ > kSkippedBytesMax || head.expects_continue()));
  AppendAnswer(head, response, close);
  const bool chunked = head.chunked();
  request_ = nullptr;
  owed_ = false;
  request.Recycle();
  host_.WantFlush();
  if (close) {
    Close();
    return;
  }
  if (body_pending) {
    state_ = chunked ? State::kSkipChunks : State::kSkip;
    if (chunked) {
      skip_ = 0;
    }
  } else {
    AfterAnswer();
  }
  Resume();
}

void Http1Session::AfterAnswer() {
  state_ = State::kHead;
  answered_early_ = false;
  chunks_ = ChunkReader();
  since_ = context_.loop.Now();
}

void Http1Session::AppendAnswer(const RequestHead& head, const HttpResponse& response, bool close) {
  std::string& out = host_.out;
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<std::uint64_t>(response.status));
  out.append(" ");
  out.append(Reason(response.status));
  out.append("\r\n");
  if (!response.content_type.empty()) {
    AppendField(out, "content-type", response.content_type);
  }
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) {
    out.append("content-length: ");
    AppendNumber(out, response.body.size());
    out.append("\r\n");
  }
  AppendField(out, "date", context_.Date());
  for (const HeaderField& field : response.fields) {
    AppendField(out, field.name, field.value);
  }
  for (const auto& [name, value] : context_.options.response_fields) {
    AppendField(out, name, value);
  }
  if (context_.options.cors.has_value()) {
    context_.options.cors->AddResponseFields(
        head,
        [&](std::string_view name, std::string_view value) { AppendField(out, name, value); });
  }
  if (close) {
    out.append("connection: close\r\n");
  } else if (head.version() == HttpVersion::k10) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (!bodiless && head.method() != HttpMethod::kHead) {
    out.append(response.body.view());
  }
}

}  // namespace weir::net
