import type { Command } from 'commander';
import type { Io, Told } from '../io.ts';
import { backup, type BackupOptions } from './backup.ts';
import { restore, type RestoreOptions } from './restore.ts';

export function addBackup(program: Command, told: Told): void {
  program
    .command('backup')
    .description('dump the tables and, apart from them, the keys of cases, while everything runs')
    .requiredOption('--to <dir>', 'where backups are kept; each gets a directory in it')
    .option('--vault <dir>', 'where the newest vault is kept; by default beside --to, with -vault after its name')
    .option('--vault-only', 'the keys alone: often, for a restore takes the newest')
    .action(told((io: Io, options: BackupOptions) => backup(io, options)));
  program
    .command('restore')
    .description('restore a backup into an empty database: what was erased stays erased, and live alerts are held')
    .requiredOption('--from <backup>', 'the directory of one backup')
    .option('--vault <dir>', 'a vault, or the directory that keeps it; by default where `backup` puts it')
    .action(told((io: Io, options: RestoreOptions) => restore(io, options)));
}
