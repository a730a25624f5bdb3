# frozen_string_literal: true

# As many commands at a time as a page opens subscriptions. Through the bridge the number is that of Puma's threads.
config.action_cable.worker_pool_size = 10
