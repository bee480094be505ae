// libsigc++: slots with methods of trackable owners. For one thread only.
#include "contender.hpp"

#include <memory>

#include <sigc++/sigc++.h>

#define TEXT_OF(text) #text
#define TEXT(macro) TEXT_OF(macro)

namespace {

struct TrackableSink : Sink, sigc::trackable {};

struct SigCpp {
  using Owner = std::unique_ptr<TrackableSink>;
  static Owner new_owner() { return std::make_unique<TrackableSink>(); }

  sigc::connection connect(const Owner &owner) {
    return signal.connect(sigc::mem_fun(*owner, &TrackableSink::on_event));
  }
  void emit(const Event &event) { signal.emit(event); }

  sigc::signal<void, const Event &> signal;
};

} // namespace

extern "C" {
extern const Api peers_sigcpp;
const Api peers_sigcpp = api_of<SigCpp>(
    TEXT(SIGCXX_MAJOR_VERSION) "." TEXT(SIGCXX_MINOR_VERSION) "." TEXT(SIGCXX_MICRO_VERSION));
}
