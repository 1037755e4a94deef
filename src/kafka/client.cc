#include "kafka/client.h"

#include <array>
#include <chrono>
#include <utility>

#include "net/tls.h"
#include "weir/base/status.h"

namespace weir::kafka {
namespace {

constexpr std::size_t kErrorTextBytes = 512;

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

// librdkafka's levels are syslog's.
LogLevel LevelOf(int level) {
  if (level <= 3) {
    return LogLevel::kError;
  }
  return level == 4 ? LogLevel::kWarn : level <= 6 ? LogLevel::kInfo : LogLevel::kDebug;
}

}  // namespace

Client::~Client() {
  if (handle_ != nullptr) {
    // A consumer is closed by its owner, within a deadline; here nothing waits for a broker.
    rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
}

// A broker that can't be reached is an everyday event that goes away by itself: a warning.
void Client::OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  const auto* client = static_cast<const Client*>(rd_kafka_opaque(handle));
  if (client == nullptr) {
    return;
  }
  const LogLevel own = std::string_view(facility) == "FAIL" ? LogLevel::kWarn : LevelOf(level);
  client->logger_.Log(own, "Kafka client", {{"event", facility}, {"text", text}});
}

ClientSettings::ClientSettings() : conf_(rd_kafka_conf_new()) {}

void ClientSettings::Set(const char* name, const std::string& value) {
  std::array<char, kErrorTextBytes> text{};
  if (rd_kafka_conf_set(conf_.get(), name, value.c_str(), text.data(), text.size()) !=
          RD_KAFKA_CONF_OK &&
      status_.ok()) {
    status_ = InvalidArgument("kafka: {}", text.data());
  }
}

void ClientSettings::SetMilliseconds(const char* name, Duration value) {
  Set(name, std::chrono::ceil<std::chrono::milliseconds>(value).count());
}

void ClientSettings::Apply(const ClientConfig& config) {
  Set("bootstrap.servers", Join(config.brokers, ","));
  Set("client.id", config.client_id);
  if (!config.rack_id.empty()) {
    Set("client.rack", config.rack_id);
  }
  if (!config.protocol_version.empty()) {
    Set("broker.version.fallback", config.protocol_version);
  }
  if (config.resolve_canonical_bootstrap_servers_only) {
    Set("client.dns.lookup", "resolve_canonical_bootstrap_servers_only");
  }
  SetMilliseconds("connections.max.idle.ms", config.conn_idle_timeout);
  SetMilliseconds("topic.metadata.refresh.interval.ms", config.metadata.refresh_interval);
  SetMilliseconds("retry.backoff.ms", config.metadata.retry.backoff);
  // The default of 10 s delays the way back after a broker was away.
  Set("reconnect.backoff.max.ms", 2000);
  Set("statistics.interval.ms", 0);
  Set("socket.keepalive.enable", true);
  const std::optional<net::TlsClientConfig>& tls =
      config.tls.has_value() ? config.tls : config.auth.tls;
  const bool uses_tls = tls.has_value() && tls->UsesTls();
  if (uses_tls) {
    ApplyTls(*tls);
  }
  ApplyAuth(config.auth, uses_tls);
}

void ClientSettings::ApplyAuth(const Auth& auth, bool tls) {
  if (!auth.plain_text.has_value() && !auth.sasl.has_value() && !auth.kerberos.has_value()) {
    Set("security.protocol", tls ? "ssl" : "plaintext");
    return;
  }
  Set("security.protocol", tls ? "sasl_ssl" : "sasl_plaintext");
  if (auth.kerberos.has_value()) {
    Set("sasl.mechanisms", "GSSAPI");
    if (!auth.kerberos->service_name.empty()) {
      Set("sasl.kerberos.service.name", auth.kerberos->service_name);
    }
    const std::string realm = auth.kerberos->realm.empty() ? "" : "@" + auth.kerberos->realm;
    Set("sasl.kerberos.principal", auth.kerberos->username + realm);
    Set("sasl.kerberos.keytab", auth.kerberos->keytab_file);
    return;
  }
  const bool plain_text = auth.plain_text.has_value();
  const SaslMechanism mechanism = plain_text ? SaslMechanism::kPlain : auth.sasl->mechanism;
  Set("sasl.mechanisms", mechanism == SaslMechanism::kScramSha256   ? "SCRAM-SHA-256"
                         : mechanism == SaslMechanism::kScramSha512 ? "SCRAM-SHA-512"
                                                                    : "PLAIN");
  Set("sasl.username", plain_text ? auth.plain_text->username : auth.sasl->username);
  Set("sasl.password",
      plain_text ? auth.plain_text->password.reveal() : auth.sasl->password.reveal());
}

void ClientSettings::ApplyTls(const net::TlsClientConfig& tls) {
  const net::TlsConfig& common = tls.common;
  const auto set = [this](const char* name, const std::string& value) {
    if (!value.empty()) {
      Set(name, value);
    }
  };
  set("ssl.ca.location", common.ca_file);
  set("ssl.ca.pem", common.ca_pem.reveal());
  set("ssl.certificate.location", common.cert_file);
  set("ssl.certificate.pem", common.cert_pem.reveal());
  set("ssl.key.location", common.key_file);
  set("ssl.key.pem", common.key_pem.reveal());
  if (!common.cipher_suites.empty()) {
    const absl::StatusOr<std::string> list =
        net::OpenSslCipherList(common.cipher_suites, common.include_insecure_cipher_suites);
    if (list.ok()) {
      Set("ssl.cipher.suites", *list);
    } else if (status_.ok()) {
      status_ = list.status();
    }
  }
  if (tls.insecure_skip_verify) {
    Set("enable.ssl.certificate.verification", false);
  } else {
    Set("ssl.endpoint.identification.algorithm", "https");
  }
}

absl::StatusOr<ClientPtr> ClientSettings::Make(rd_kafka_type_t type, const Logger& logger,
                                               void* owner) && {
  WEIR_RETURN_IF_ERROR(status_);
  // tidy-allow(new): the constructor is private.
  ClientPtr client(new Client(logger, owner));
  rd_kafka_conf_set_opaque(conf_.get(), client.get());
  rd_kafka_conf_set_log_cb(conf_.get(), Client::OnLog);
  std::array<char, kErrorTextBytes> text{};
  client->handle_ = rd_kafka_new(type, conf_.get(), text.data(), text.size());
  if (client->handle_ == nullptr) {
    return InvalidArgument("kafka: {}", text.data());
  }
  static_cast<void>(conf_.release());  // The handle has taken it.
  return client;
}

std::string_view ErrorText(rd_kafka_resp_err_t error) { return rd_kafka_err2str(error); }

}  // namespace weir::kafka
