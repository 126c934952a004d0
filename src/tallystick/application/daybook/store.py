from tallystick.infrastructure.store.migrations import Migration

MIGRATION = Migration(number=80, name="days", statements=())
