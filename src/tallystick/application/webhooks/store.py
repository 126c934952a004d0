from tallystick.infrastructure.store.migrations import Migration

MIGRATION = Migration(number=70, name="webhooks", statements=())
