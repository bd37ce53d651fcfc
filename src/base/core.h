/*
 * core - no memory of ours becomes a file.
 */
#ifndef BASE_CORE_H
#define BASE_CORE_H

/* This process and those that it forks leave no core file when they are killed, and (Linux) are not read
 * by other processes of the same user. First of all, before a secret is read. */
void core_forbid(void);

#endif
