"""unittest.main() for tests that wait more than they work: several at a time.

The problem: most tests of a poller wait for its timeouts and its rounds, one behind the other, while the processors have nothing
to do.

The design: some children, forked before anything runs, who take the next test from a pipe that was filled beforehand. A process
for each because tests have folders, environments, signals and children of their own to wait for, which threads would share.
Each hands back what unittest would have printed of its test. Tests of a class with fixtures of its own go to one child,
for the fixtures are theirs together. A child that dies without a word has failed.

The trap: what is said of elapsed time must hold on a busy machine, for now it is one. Tests that measure how little the
program works, or that look at all processes of the machine, are not for this.
"""
import io
import multiprocessing.connection
import os
import sys
import time
import unittest

AT_A_TIME = 8


def each(suite):
    """Its tests, without the folders in which unittest keeps them."""
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from each(one)
        else:
            yield one


def portions(suite):
    """[tests that belong together], in their order."""
    found = []
    for test in each(suite):
        shared = getattr(type(test), 'setUpClass').__func__ is not unittest.TestCase.setUpClass.__func__
        if shared and found and type(found[-1][0]) is type(test):
            found[-1].append(test)
        else:
            found.append([test])
    return found


def run_portion(tests):
    """What unittest says of them, how long they took, and the numbers of its result."""
    begin = time.monotonic()
    said = io.StringIO()
    result = unittest.TextTestRunner(said, descriptions=False, verbosity=2).run(unittest.TestSuite(tests))
    told, _, _ = said.getvalue().rpartition('-' * 70 + '\nRan ')
    told = told.rstrip('\n') + f'  ({time.monotonic() - begin:.1f} s)'
    return told, result.testsRun, len(result.skipped), result.wasSuccessful()


def work(all_portions, tasks, parent, answers):
    """A child: until the pipe of tasks is empty, or its parent has gone."""
    while (task := os.read(tasks, 2)) and os.getppid() == parent:
        number = int.from_bytes(task, 'big')
        answers.send((number, *run_portion(all_portions[number])))


def begin(all_portions, tasks):
    """Where a new child's answers come from; its end is the end of the child."""
    parent = os.getpid()
    from_child, to_parent = multiprocessing.connection.Pipe(duplex=False)
    if os.fork() == 0:
        status = 1
        try:
            from_child.close()
            work(all_portions, tasks, parent, to_parent)
            status = 0
        finally:
            os._exit(status)
    to_parent.close()
    return from_child


def answers_of(children):
    """All of them, as they come."""
    while children:
        for child in multiprocessing.connection.wait(children):
            try:
                yield child.recv()
            except EOFError:
                children.remove(child)
                os.wait()


class Result:
    """What unittest.main() wants to know."""

    def __init__(self, good):
        self.good = good

    def wasSuccessful(self):  # noqa: N802
        return self.good


class Runner:
    """In the place of unittest's."""

    def __init__(self, **_):
        self.begin = time.monotonic()

    def run(self, suite):
        all_portions = portions(suite)
        tasks, filling = os.pipe()
        os.write(filling, b''.join(number.to_bytes(2, 'big') for number in range(len(all_portions))))
        os.close(filling)
        ran = skipped = 0
        good, missing = True, set(range(len(all_portions)))
        sys.stderr.flush()
        children = [begin(all_portions, tasks) for _ in range(min(AT_A_TIME, len(all_portions)))]
        os.close(tasks)
        for number, said, more, left_out, passed in answers_of(children):
            print(said, file=sys.stderr, flush=True)
            missing.remove(number)
            ran, skipped, good = ran + more, skipped + left_out, good and passed
        for number in missing:
            print(f'FAILED: no answer from {all_portions[number][0].id()}', file=sys.stderr)
        good = good and not missing
        print(f'\nRan {ran} tests in {time.monotonic() - self.begin:.1f}s, {AT_A_TIME} at a time\n\n'
              f'{"OK" if good else "FAILED"} (skipped={skipped})', file=sys.stderr)
        return Result(good)


def main():
    unittest.main(testRunner=Runner)
