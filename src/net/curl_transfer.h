// One libcurl transfer: a request's options on an easy handle, and the response as it comes in.
//
// Threads: one at a time.

#ifndef WEIR_NET_CURL_TRANSFER_H_
#define WEIR_NET_CURL_TRANSFER_H_

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "net/http_client.h"

namespace weir::net {

// Once a process, before anything else of libcurl. Thread-safe.
void InitializeCurl();

class CurlTransfer {
 public:
  // `tls` outlives the transfer.
  CurlTransfer(const TlsClientConfig& tls, HttpClientRequest request);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* easy() { return easy_.get(); }
  // Options of a POST of the request's body, with its headers.
  void PreparePost(std::chrono::nanoseconds timeout);
  void PrepareGet(std::chrono::nanoseconds timeout);
  // The response, once libcurl is done with `result`.
  HttpClientResponse Finish(CURLcode result);

 private:
  static std::size_t OnRead(char* into, std::size_t size, std::size_t count, void* self);
  static int OnSeek(void* self, curl_off_t offset, int origin);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static CURLcode OnTlsContext(CURL* easy, void* context, void* self);
  void PrepareCommon(std::chrono::nanoseconds timeout);
  void PrepareServerName();

  const TlsClientConfig& tls_;
  HttpClientRequest request_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> header_list_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> connect_to_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string tls_error_;
  std::size_t piece_ = 0;   // How far the body is read.
  std::size_t offset_ = 0;  // In that piece.
  std::size_t header_bytes_ = 0;
  bool body_cut_ = false;
  HttpClientResponse response_;
};

}  // namespace weir::net

#endif  // WEIR_NET_CURL_TRANSFER_H_
