# frozen_string_literal: true

# As in development: code that changed is loaded anew before the next request.
config.cache_classes = false
config.eager_load = false
config.file_watcher = ActiveSupport::FileUpdateChecker
