"""One round over a broker: a plan of far_plan.py is carried out on a master and its agents, and judged.

It is a test of dist.Stage that has its deeds from a plan. One loop throws what is due and undoes what must be undone: who was stopped
goes on, a line is whole again, who died is started anew, a master that was killed over its file takes its run up (with --resume
where there is a journal). The round is whole if the last master ends by itself with one record for each target, with the right status,
nothing lies beside the file, agents end when they are asked to, no process is left, and no message of tasks stays at the broker.
"""
import heapq
import os
import signal
import time

import amqp_proxy
import dist
import poller
import processes
import stage

OUTPUT, JOURNAL = 'out.jsonl', '.out.jsonl.multisnmp.run'
LIMIT = 150  # seconds of a round: this only ends what hangs
LEAVE = 30   # seconds: for processes that lost their parent or are drained
TICK = 0.02


class Round(dist.Stage):
    with_broker = False

    def __init__(self, plan, broker, folder):
        super().__init__('play')
        self.plan, self.broker, self.place = plan, broker, folder
        self.thrown, self.said_so = [], []

    def setUp(self):
        self.folder = self.place
        self.vhost = self.broker.vhost(f'round-{self.plan.number}-{os.getpid()}')
        self.mark = f'{stage.MARK}={self.plan.seed}.{self.plan.number}.{os.getpid()}'
        os.environ[stage.MARK] = self.mark.partition('=')[2]
        self.agents_by_name, self.all_agents, self.proxies = {}, [], {}
        self.masters, self.master, self.anew = 0, None, 0
        self.queue, self.number = [], 0  # (when, number, must, deed, words)

    # ---- the play

    def play(self):
        p = self.plan
        self.devices(*p.rules())
        self.hosts = self.write('hosts.yaml', p.yaml(self.park.port))
        for who in p.proxied:
            self.proxies[who] = amqp_proxy.Proxy(self.broker.port)
            self.addCleanup(self.proxies[who].stop)
        for name, site in p.agents:
            self.bring_agent(name, site)
        self.began = time.monotonic()
        self.bring_master()
        for when, name, words in p.deeds:
            self.later(when, getattr(self, name), *words)
        while (self.master is None or self.master.poll() is None or self.met_no_broker()) and self.since() < LIMIT:
            self.turn()
            time.sleep(TICK)
        self.undo_all()
        self.conclude()

    def met_no_broker(self):
        """Who starts while the broker is away ends with 4, as promised; whoever started it tries again."""
        if self.master.returncode != 4 or 'cannot poll over the broker' not in self.told(self.master):
            return False
        self.threw('master_without_broker')
        self.master = None
        self.afterwards(1, self.bring_master)
        return True

    def since(self):
        return time.monotonic() - self.began

    def later(self, when, deed, *words, must=False):
        self.number += 1
        heapq.heappush(self.queue, (when, self.number, must, deed, words))

    def afterwards(self, seconds, deed, *words):
        """What undoes: it is done even when the run has ended meanwhile."""
        self.later(self.since() + seconds, deed, *words, must=True)

    def turn(self):
        while self.queue and self.queue[0][0] <= self.since():
            _, _, _, deed, words = heapq.heappop(self.queue)
            deed(*words)

    def undo_all(self):
        while self.queue:
            _, _, must, deed, words = heapq.heappop(self.queue)
            if must:
                deed(*words)
        self.broker.wait()

    def threw(self, *words):
        """For who reads a failure."""
        self.thrown.append(words[0])
        self.said_so.append(f'{self.since():6.2f} s {" ".join(map(str, words))}')

    def told_all(self):
        return '\n'.join(self.said_so)

    # ---- who plays

    def url_of(self, who):
        return self.url(self.proxies.get(who))

    def bring_agent(self, name, site):
        self.agents_by_name[name] = (self.start_agent(name, site, url=self.url_of(name), pace=self.plan.pace), site)
        self.all_agents.append(self.agents_by_name[name][0])

    def bring_master(self):
        """A dead one's run is taken up where it has left a journal, else begun anew."""
        resume = ['--resume'] if os.path.exists(self.path(JOURNAL)) else []
        self.anew += not resume
        self.masters += 1
        self.master = self.start_master(*resume, url=self.url_of('master'), hosts=self.hosts, output=OUTPUT,
                                        name=f'master{self.masters}')

    def part(self, role, name):
        """A process of an agent; None: nobody has that role now."""
        pid = self.agents_by_name[name][0].pid
        if role == 'supervisor':
            return pid
        if role == 'courier':
            return dist.courier_of_agent(pid)
        if role == 'worker':
            return dist.worker_of(pid)
        return next(iter(dist.cells_of(pid)), None)

    # ---- deeds

    def hit(self, pids, number):
        """Those that are still there."""
        there = False
        for pid in pids:
            try:
                if pid is not None:
                    os.kill(pid, number)
                    there = True
            except ProcessLookupError:
                pass
        return there

    def stop(self, pids, seconds):
        self.afterwards(seconds, self.hit, pids, signal.SIGCONT)
        return self.hit(pids, signal.SIGSTOP)

    def kill_part(self, role, name, back=None):
        if self.hit([self.part(role, name)], signal.SIGKILL):
            self.threw(f'kill_{role}', name)
        if role == 'supervisor':
            self.afterwards(back, self.back_again, name, self.agents_by_name[name][0])

    def back_again(self, name, dead):
        """Started anew, if nobody has done that yet."""
        process, site = self.agents_by_name[name]
        if process is dead:
            self.bring_agent(name, site)

    def power_off(self, name, back):
        process, _ = self.agents_by_name[name]
        if self.hit(dist.tree_of(process.pid), signal.SIGKILL):
            self.threw('power_off', name)
        self.afterwards(back, self.back_again, name, process)

    def drain(self, name, back):
        process, _ = self.agents_by_name[name]
        if process.poll() is None:
            process.terminate()
            self.threw('drain', name)
        self.afterwards(back, self.back_again, name, process)

    def stop_part(self, role, name, seconds):
        if self.stop([self.part(role, name)], seconds):
            self.threw(f'stop_{role}', name, seconds)

    def sleep_agent(self, name, seconds):
        if self.stop(dist.tree_of(self.agents_by_name[name][0].pid), seconds):
            self.threw('sleep_agent', name, seconds)

    def masters_pids(self, what):
        if self.master is None or self.master.poll() is not None:
            return []
        pids = dist.tree_of(self.master.pid)
        return {'alone': pids[:1], 'courier': pids[1:], 'tree': pids}[what]

    def kill_masters_courier(self):
        if self.hit(self.masters_pids('courier'), signal.SIGKILL):
            self.threw('kill_masters_courier')

    def kill_master(self, what, back):
        pids = self.masters_pids(what)
        if pids and self.hit(pids, signal.SIGKILL):
            self.master.wait()
            self.threw('kill_master', what, 'journal' if os.path.exists(self.path(JOURNAL)) else 'no journal')
            self.master = None
            self.afterwards(back, self.bring_master)

    def stop_master(self, what, seconds):
        if self.stop(self.masters_pids(what), seconds):
            self.threw('stop_master', what, seconds)

    def line(self, deed, who, seconds):
        proxy = self.proxies[who]
        if deed == 'refuse' and proxy.refusing:
            return
        getattr(proxy, deed)()
        self.threw(deed, who, seconds)
        if deed == 'refuse':
            self.afterwards(seconds, proxy.accept)
        elif deed != 'cut':
            self.afterwards(seconds, proxy.resume)

    def kill_broker(self, back):
        if self.broker.running():
            self.broker.kill()
            self.threw('kill_broker', back)
            self.afterwards(back, self.broker.start, False)

    def stop_broker(self, seconds):
        if self.broker.running():
            self.stop([self.broker.process.pid], seconds)
            self.threw('stop_broker', seconds)

    def alarm(self, seconds):
        if self.answers():
            self.broker.alarm(True)
            self.threw('alarm', seconds)
            self.afterwards(seconds, self.no_alarm)

    def no_alarm(self):
        """A broker that was started meanwhile has none."""
        if self.answers():
            self.broker.alarm(False)

    def close_connections(self):
        if self.answers():
            self.broker.eval('[rabbit_networking:close_connection(P, "a test") || P <- rabbit_networking:connections()], ok.',
                             strict=False)
            self.threw('close_connections')

    def answers(self):
        """Whoever asks a broker that is stopped waits as long as it is."""
        running = self.broker.running() and processes.state_of(self.broker.process.pid) != 'T'
        return running and self.broker.answers()

    # ---- what must hold

    def conclude(self):
        expected = self.plan.expected()
        self.judge(self.master, expected, status=0 if set(expected) == {'ok'} else 1, output=OUTPUT, seconds=1)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith('.out')], [], 'left beside the file')
        if self.anew == 1:  # else tasks of a run that nobody took up wait until their time is over
            self.wait_until(self.no_tasks, 'tasks stay at the broker', 0.5)
        self.agents_end()
        self.nobody_left()

    def no_tasks(self):
        queues = self.broker.queues(self.vhost)
        return all(not ready for name, (ready, _, _) in queues.items() if name.startswith('multisnmp.tasks.'))

    def agents_end(self):
        for process in self.all_agents:
            if process.poll() is None:
                process.terminate()
        for process in self.all_agents:
            process.wait(poller.LONG)
            self.assertIn(process.returncode, (0, 128 + signal.SIGTERM, -signal.SIGKILL), self.told(process)[-2000:])

    def nobody_left(self):
        end = time.monotonic() + LEAVE
        while True:
            left = stage.still_there({self.park.process.pid}, self.mark, False)
            if not left or time.monotonic() > end:
                break
            time.sleep(0.1)
        self.assertEqual(left, [])
