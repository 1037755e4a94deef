#include "net/grpc_subchannel.h"

#include <algorithm>
#include <utility>

#include "weir/base/check.h"

namespace weir::net {

GrpcSubchannel::GrpcSubchannel(EventLoop& loop, const GrpcConnectionOptions& options,
                               Addresses addresses, Owner& owner)
    : loop_(loop), options_(options), addresses_(std::move(addresses)), owner_(owner) {
  WEIR_CHECK(!addresses_.empty());
}

GrpcSubchannel::~GrpcSubchannel() { loop_.Cancel(timer_); }

void GrpcSubchannel::Connect() {
  WEIR_CHECK(connection_ == nullptr && timer_ == 0);
  BeginAttempt();
}

void GrpcSubchannel::SetAddresses(Addresses addresses) {
  const bool news = std::any_of(addresses.begin(), addresses.end(), [&](const auto& address) {
    return std::find(addresses_.begin(), addresses_.end(), address) == addresses_.end();
  });
  addresses_ = std::move(addresses);
  if (state_ == State::kBackoff && news && !retired_) {
    loop_.Cancel(std::exchange(timer_, 0));
    BeginAttempt();
  }
}

GrpcSubchannel::State GrpcSubchannel::state() const {
  // Between the end of a connection and the news of it.
  return state_ == State::kReady && !connection_->ready() ? State::kConnecting : state_;
}

GrpcConnection* GrpcSubchannel::ready_connection() const {
  return !retired_ && state() == State::kReady ? connection_.get() : nullptr;
}

void GrpcSubchannel::Retire() {
  retired_ = true;
  loop_.Cancel(std::exchange(timer_, 0));
}

bool GrpcSubchannel::has_streams() const {
  const auto busy = [](const auto& connection) { return connection->stream_count() > 0; };
  return (connection_ != nullptr && busy(connection_)) ||
         std::any_of(draining_.begin(), draining_.end(), busy);
}

void GrpcSubchannel::BeginAttempt() {
  state_ = State::kConnecting;
  attempt_began_ = loop_.Now();
  next_address_ = 0;
  TryNextAddress();
}

void GrpcSubchannel::TryNextAddress() {
  Listener& self = *this;
  connection_ = std::make_unique<GrpcConnection>(loop_, options_, addresses_[next_address_], self);
  ++next_address_;
  connection_->Connect();
}

void GrpcSubchannel::BeginAttemptAt(TimePoint when) {
  if (!retired_) {
    timer_ = loop_.ScheduleAt(when, [this] {
      timer_ = 0;
      BeginAttempt();
    });
  }
}

void GrpcSubchannel::OnConnectionReady(GrpcConnection& connection) {
  if (&connection == connection_.get()) {
    state_ = State::kReady;
    failures_ = 0;
    owner_.OnSubchannelChanged();
  }
}

void GrpcSubchannel::OnConnectionDraining(GrpcConnection& connection, bool too_many_pings) {
  if (&connection != connection_.get()) {
    return;
  }
  if (too_many_pings && options_.keepalive.has_value()) {
    options_.keepalive->time *= 2;
  }
  draining_.push_back(std::move(connection_));
  state_ = State::kConnecting;
  // A peer that drains at once must not be called at once again.
  BeginAttemptAt(attempt_began_ + owner_.BackoffDelay(1));
  owner_.OnAddressesStale();
  owner_.OnSubchannelChanged();
}

void GrpcSubchannel::OnConnectionClosed(GrpcConnection& connection, const absl::Status& why) {
  if (&connection != connection_.get()) {
    std::erase_if(draining_, [&](const auto& entry) { return entry.get() == &connection; });
    owner_.OnSubchannelChanged();
    return;
  }
  last_error_ = std::string(why.message());
  connection_.reset();
  if (state_ == State::kConnecting && next_address_ < addresses_.size() && !retired_) {
    TryNextAddress();
    return;
  }
  if (state_ == State::kConnecting) {
    ++failures_;
    state_ = State::kBackoff;
  } else {
    state_ = State::kConnecting;
  }
  BeginAttemptAt(attempt_began_ + owner_.BackoffDelay(std::max(failures_, 1)));
  owner_.OnAddressesStale();
  owner_.OnSubchannelChanged();
}

}  // namespace weir::net
