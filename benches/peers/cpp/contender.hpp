// What src/foreign.rs sees of a C++ library, and the work that is measured: the loops of src/work.rs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

using Event = std::uint64_t;

extern "C" std::atomic<std::size_t> PEERS_SINKS_ALIVE;

// The twin of the one in src/sink.rs.
class Sink {
public:
  Sink() { PEERS_SINKS_ALIVE.fetch_add(1, std::memory_order_relaxed); }
  ~Sink() { PEERS_SINKS_ALIVE.fetch_sub(1, std::memory_order_relaxed); }
  Sink(const Sink &) = delete;
  Sink &operator=(const Sink &) = delete;

  void on_event(const Event &event) {
    total_.store(total() + event, std::memory_order_relaxed);
  }
  Event total() const { return total_.load(std::memory_order_relaxed); }

private:
  std::atomic<Event> total_{0};
};

struct Api {
  const char *version;
  void *(*contender_new)();
  void (*contender_delete)(void *contender);
  void *(*owner_new)();
  void (*owner_delete)(void *owner);
  Event (*owner_total)(void *owner);
  void (*connect_one)(void *contender, void *owner);
  void (*emissions)(void *contender, std::uint64_t count);
  void (*connections)(void *contender, void *owner, std::uint64_t count);
  void (*turns)(void *contender, void *owner, std::uint64_t count);
  void (*lifetimes)(void *owner, std::uint64_t count);
  void *(*many_new)(std::size_t room);
  void (*many_delete)(void *many);
  void (*many_fill)(void *many);
  void (*many_connect)(void *many, void *const *owners, std::size_t count, std::size_t slots);
  void (*many_visit)(void *many, const std::uint32_t *order, std::size_t count);
};

// Hides from the compiler what it knows of the value.
template <class T> void black_box(T &value) { asm volatile("" : : "r"(&value) : "memory"); }

// A contender has `Owner`, a smart pointer, which `new_owner` makes, `connect` and `emit`.
template <class Contender> constexpr Api api_of(const char *version) {
  using Owner = typename Contender::Owner;
  using Many = std::vector<Contender>;
  return {
      version,
      []() -> void * { return new Contender; },
      [](void *contender) { delete static_cast<Contender *>(contender); },
      []() -> void * { return new Owner(Contender::new_owner()); },
      [](void *owner) { delete static_cast<Owner *>(owner); },
      [](void *owner) { return (*static_cast<Owner *>(owner))->total(); },
      [](void *contender, void *owner) {
        static_cast<Contender *>(contender)->connect(*static_cast<Owner *>(owner));
      },
      [](void *contender, std::uint64_t count) {
        auto &signal = *static_cast<Contender *>(contender);
        for (Event event = 1; event <= count; ++event) {
          black_box(signal);
          black_box(event);
          signal.emit(event);
        }
      },
      [](void *contender, void *owner, std::uint64_t count) {
        auto &signal = *static_cast<Contender *>(contender);
        for (std::uint64_t i = 0; i < count; ++i) {
          black_box(signal);
          signal.connect(*static_cast<Owner *>(owner)).disconnect();
        }
      },
      [](void *contender, void *owner, std::uint64_t count) {
        auto &signal = *static_cast<Contender *>(contender);
        for (Event event = 1; event <= count; ++event) {
          black_box(signal);
          auto connection = signal.connect(*static_cast<Owner *>(owner));
          black_box(event);
          signal.emit(event);
          connection.disconnect();
        }
      },
      [](void *owner, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
          Contender contender;
          black_box(contender);
          contender.connect(*static_cast<Owner *>(owner));
          black_box(contender);
        }
      },
      [](std::size_t room) -> void * {
        auto many = new Many;
        many->reserve(room);
        return many;
      },
      [](void *many) { delete static_cast<Many *>(many); },
      [](void *pointer) {
        auto &many = *static_cast<Many *>(pointer);
        while (many.size() < many.capacity()) {
          many.emplace_back();
        }
      },
      [](void *pointer, void *const *owners, std::size_t count, std::size_t slots) {
        auto &many = *static_cast<Many *>(pointer);
        for (std::size_t i = 0; i < count; ++i) {
          auto &signal = many[i / slots];
          black_box(signal);
          signal.connect(*static_cast<Owner *>(owners[i]));
        }
      },
      [](void *pointer, const std::uint32_t *order, std::size_t count) {
        auto &many = *static_cast<Many *>(pointer);
        for (std::size_t i = 0; i < count; ++i) {
          auto &signal = many[order[i]];
          black_box(signal);
          Event event = order[i];
          black_box(event);
          signal.emit(event);
        }
      },
  };
}
