// boost::signals2: slots that track their owners, and slots that do not.
#include "contender.hpp"

#include <boost/make_shared.hpp>
#include <boost/shared_ptr.hpp>
#include <boost/signals2/signal.hpp>
#include <boost/version.hpp>

namespace {

using Signal = boost::signals2::signal<void(const Event &)>;

struct Untracked {
  using Owner = boost::shared_ptr<Sink>;
  static Owner new_owner() { return boost::make_shared<Sink>(); }

  boost::signals2::connection connect(const Owner &owner) {
    return signal.connect(slot(owner));
  }
  void emit(const Event &event) { signal(event); }

  static Signal::slot_type slot(const Owner &owner) {
    return [sink = owner.get()](const Event &event) { sink->on_event(event); };
  }

  Signal signal;
};

struct Tracked : Untracked {
  boost::signals2::connection connect(const Owner &owner) {
    return signal.connect(slot(owner).track(owner));
  }
};

} // namespace

extern "C" {
extern const Api peers_boost_tracked;
extern const Api peers_boost_untracked;
const Api peers_boost_tracked = api_of<Tracked>(BOOST_LIB_VERSION);
const Api peers_boost_untracked = api_of<Untracked>(BOOST_LIB_VERSION);
}
