# config/initializers/action_cable.rb

if Rails.env.production? || Rails.env.staging?
  # Configure Redis with connection pool
  ActionCable.server.config.cable = {
    adapter: 'redis',
    url: ENV.fetch('REDIS_URL', 'redis://localhost:6379/1'),
    channel_prefix: "#{Rails.application.class.module_parent_name.underscore}_#{Rails.env}",
    # Connection pool options
    driver: :hiredis,
    pool: {
      size: ENV.fetch('RAILS_MAX_THREADS', 5).to_i,
      timeout: 5
    }
  }
end
