// An `operator new` that counts, for benches/heap.rs alone. The size of an allocation stands in
// front of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

extern "C" void peers_count(std::uint64_t allocations, std::ptrdiff_t grown_by);

namespace {
constexpr std::size_t HEADER = alignof(std::max_align_t);
}

void *operator new(std::size_t size) {
  auto block = static_cast<char *>(std::malloc(HEADER + size));
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  *reinterpret_cast<std::size_t *>(block) = size;
  peers_count(1, static_cast<std::ptrdiff_t>(size));
  return block + HEADER;
}

void operator delete(void *pointer) noexcept {
  if (pointer != nullptr) {
    auto block = static_cast<char *>(pointer) - HEADER;
    peers_count(0, -static_cast<std::ptrdiff_t>(*reinterpret_cast<std::size_t *>(block)));
    std::free(block);
  }
}

void operator delete(void *pointer, std::size_t) noexcept { operator delete(pointer); }
