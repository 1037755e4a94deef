// Options that every client of Kafka has, with the Collector's keys and defaults: where the brokers
// are and how to reach them.
//
// Threads: plain values.

#ifndef WEIR_KAFKA_CLIENT_CONFIG_H_
#define WEIR_KAFKA_CLIENT_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/tls_config.h"
#include "weir/config/fields.h"

namespace weir::kafka {

enum class Encoding : std::uint8_t { kOtlpProto, kOtlpJson };

enum class SaslMechanism : std::uint8_t {
  kPlain,
  kScramSha256,
  kScramSha512,
  kAwsMskIam,
  kOauthBearer
};

struct PlainTextAuth {
  std::string username;
  Secret password;

  static void VisitFields(auto& self, auto& visit) {
    visit("username", self.username, "User name.");
    visit("password", self.password, "Password.");
  }
  bool operator==(const PlainTextAuth&) const = default;
};

struct SaslAuth {
  std::string username;
  Secret password;
  SaslMechanism mechanism = SaslMechanism::kPlain;
  std::uint32_t version = 0;

  static void VisitFields(auto& self, auto& visit) {
    visit("username", self.username, "User name.");
    visit("password", self.password, "Password.");
    visit("mechanism", self.mechanism, "`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.");
    visit("version", self.version,
          "Read for compatibility: the newest version that both sides know is used.", AtMost(1));
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const SaslAuth&) const = default;
};

struct KerberosAuth {
  std::string service_name;
  std::string realm;
  bool use_keytab = false;
  std::string username;
  Secret password;
  std::string config_file;
  std::string keytab_file;
  bool disable_fast_negotiation = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("service_name", self.service_name, "Kerberos name of the brokers' service.");
    visit("realm", self.realm, "Kerberos realm.");
    visit("use_keytab", self.use_keytab, "Must be true: only keytab files are supported.");
    visit("username", self.username, "Kerberos user.");
    visit("password", self.password, "Not supported: use a keytab file.");
    visit("config_file", self.config_file,
          "Read for compatibility: the Kerberos library takes its configuration from the "
          "environment.");
    visit("keytab_file", self.keytab_file, "The keytab file.");
    visit("disable_fast_negotiation", self.disable_fast_negotiation,
          "Read for compatibility: the Kerberos library decides.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const KerberosAuth&) const = default;
};

struct Auth {
  std::optional<PlainTextAuth> plain_text;
  std::optional<SaslAuth> sasl;
  std::optional<KerberosAuth> kerberos;
  std::optional<net::TlsClientConfig> tls;

  static void VisitFields(auto& self, auto& visit) {
    visit("plain_text", self.plain_text, "The same as `sasl` with mechanism `PLAIN`.");
    visit("sasl", self.sasl, "User name and password.");
    visit("kerberos", self.kerberos, "Kerberos (GSSAPI).");
    visit("tls", self.tls, "The same as `tls` one level up, which wins where both are given.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Auth&) const = default;
};

struct MetadataRetry {
  std::uint32_t max = 3;
  Duration backoff = std::chrono::milliseconds(250);

  static void VisitFields(auto& self, auto& visit) {
    visit("max", self.max, "Read for compatibility: metadata is asked for until it comes.");
    visit("backoff", self.backoff, "Wait before a request is tried again.",
          Between(std::chrono::milliseconds(1), std::chrono::minutes(5)));
  }
  bool operator==(const MetadataRetry&) const = default;
};

struct Metadata {
  bool full = true;
  Duration refresh_interval = std::chrono::minutes(10);
  MetadataRetry retry;

  static void VisitFields(auto& self, auto& visit) {
    visit("full", self.full,
          "Read for compatibility: metadata is kept for the topics in use, whatever this says.");
    visit("refresh_interval", self.refresh_interval, "How often metadata is refreshed.",
          Between(std::chrono::milliseconds(10), std::chrono::hours(1)));
    visit("retry", self.retry, "What to do when metadata does not come.");
  }
  bool operator==(const Metadata&) const = default;
};

struct ClientConfig {
  std::vector<std::string> brokers = {"localhost:9092"};
  std::string protocol_version;
  bool resolve_canonical_bootstrap_servers_only = false;
  std::string client_id = "otel-collector";
  std::string rack_id;
  bool use_leader_epoch = true;
  Duration conn_idle_timeout = std::chrono::minutes(9);
  Auth auth;
  std::optional<net::TlsClientConfig> tls;
  Metadata metadata;

  static void VisitFields(auto& self, auto& visit) {
    visit("brokers", self.brokers, "Brokers to ask first, as host:port; the others are found out.");
    visit("protocol_version", self.protocol_version,
          "Oldest version of the brokers, which is assumed where they do not tell it.");
    visit("resolve_canonical_bootstrap_servers_only", self.resolve_canonical_bootstrap_servers_only,
          "Whether addresses of `brokers` are looked up in reverse, as Kerberos may need.");
    visit("client_id", self.client_id, "What the client calls itself, for quotas and logs.");
    visit("rack_id", self.rack_id, "The rack of this client, for replicas nearby.");
    visit("use_leader_epoch", self.use_leader_epoch,
          "Read for compatibility: the leader epoch is used where brokers know it.");
    visit("conn_idle_timeout", self.conn_idle_timeout,
          "Connections that are idle for this long are closed; 0 keeps them.",
          Between(Duration(0), std::chrono::hours(24)));
    visit("auth", self.auth, "How the client says who it is.");
    visit("tls", self.tls, "TLS; absent: clear text.");
    visit("metadata", self.metadata, "How the client learns of topics and partitions.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const ClientConfig&) const = default;
};

}  // namespace weir::kafka

namespace weir {

template <>
struct EnumNames<kafka::Encoding> {
  static constexpr std::pair<std::string_view, kafka::Encoding> kNames[] = {
      {"otlp_proto", kafka::Encoding::kOtlpProto}, {"otlp_json", kafka::Encoding::kOtlpJson}};
};

template <>
struct EnumNames<kafka::SaslMechanism> {
  static constexpr std::pair<std::string_view, kafka::SaslMechanism> kNames[] = {
      {"PLAIN", kafka::SaslMechanism::kPlain},
      {"SCRAM-SHA-256", kafka::SaslMechanism::kScramSha256},
      {"SCRAM-SHA-512", kafka::SaslMechanism::kScramSha512},
      {"AWS_MSK_IAM_OAUTHBEARER", kafka::SaslMechanism::kAwsMskIam},
      {"OAUTHBEARER", kafka::SaslMechanism::kOauthBearer}};
};

}  // namespace weir

#endif  // WEIR_KAFKA_CLIENT_CONFIG_H_
