// Force-included into ggml's CPU backend. Its threads wait for each other by spinning, with the instruction "pause", for as long as it
// takes. When two models compute at once with as many threads each as there are processors, a thread then spins through its whole time
// slice while the one that it waits for has no processor: a hundredth of the speed. After a few microseconds this pause lets others run.
#pragma once

#if defined(__x86_64__) && defined(__linux__) && !defined(__cplusplus)

#include <immintrin.h>
#include <sched.h>

static inline void puna_pause(void) {
  static _Thread_local unsigned pauses;
  __builtin_ia32_pause();
  if ((++pauses & 255U) == 0) sched_yield();
}
#define _mm_pause puna_pause

#endif
