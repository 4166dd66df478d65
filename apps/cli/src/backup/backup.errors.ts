/** Why a backup or a restore is not begun; in each case nothing has been changed. */
export type BackupRefusal =
  | 'backup_damaged'
  | 'backup_missing'
  | 'backup_running'
  | 'database_in_use'
  | 'database_not_empty'
  | 'directory_foreign'
  | 'postgres_tools_missing'
  | 'schema_newer'
  | 'vault_foreign'
  | 'vault_missing'
  | 'vault_older';
