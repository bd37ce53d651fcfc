/*
 * quit - a process ends here and now.
 */
#ifndef BASE_QUIT_H
#define BASE_QUIT_H

/* As _exit(2): no handler that a child has inherited runs, no stream is flushed. In builds that watch
 * themselves what they have seen is told first: quit_asan.c, quit_coverage.c. */
_Noreturn void quit_now(int status);

#endif
