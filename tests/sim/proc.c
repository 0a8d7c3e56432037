#include "tests/sim/proc.h"

static void end(struct proc *proc) {
    proc->up = proc->stopping = false;
    proc->gone();
    stores_end(proc->process);
    supervisor_lost(proc);
}

bool proc_does(struct proc *proc, void (*deed)(void *arg), void *arg) {
    if (!proc->up)
        return false;
    if (_setjmp(stores_killed) != 0) {
        proc->kills++;
        world_tell("%s is killed in front of a store to its file", proc->name);
        end(proc);
        return false;
    }
    stores_at_work(proc->process);
    deed(arg);
    stores_at_work(NO_PROCESS);
    return true;
}

void proc_kill(struct proc *proc, uint32_t store) {
    if (store >= KILL_AT_LENGTH)
        stores_arm_at_length(proc->process, store - KILL_AT_LENGTH + 1);
    else if (store > 0)
        stores_arm(proc->process, store);
    if (store > 0 || !proc->up)
        return;
    world_tell("%s is killed", proc->name);
    end(proc);
}

void proc_ended(struct proc *proc) {
    world_tell("%s has ended", proc->name);
    end(proc);
}

void proc_stop(struct proc *proc) {
    if (!proc->up || proc->stopping)
        return;
    world_tell("%s is told to stop", proc->name);
    proc->stopping = true;
    proc_does(proc, proc->stop, NULL);
}

void proc_begin(struct proc *proc) {
    proc->up = true;
    proc->begun = world_now();
    world_tell("%s starts", proc->name);
    proc_does(proc, proc->begin, NULL);
}
