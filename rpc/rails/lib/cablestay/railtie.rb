# frozen_string_literal: true

module Cablestay
  class Railtie < Rails::Railtie
    config.cablestay = ActiveSupport::OrderedOptions.new
    config.cablestay.live = true
    config.cablestay.state = :snapshot
    config.cablestay.at_hand = 500 # subscriptions

    # In front of all other middleware, also of what the app's initializers put there.
    initializer "cablestay.endpoint", after: :load_config_initializers, before: :build_middleware_stack do |app|
      app.config.middleware.insert_before(0, Cablestay::Endpoint, app)
    end

    # A setting that can't work stops the start, not the first event.
    config.after_initialize do |app|
      Cablestay::Live.configure(app.config.cablestay.live)
      Cablestay::State::Setting.current = Cablestay::State::Setting.new(app.config.cablestay.state)
      Cablestay::AtHand.current = Cablestay::AtHand.configured(app.config.cablestay.at_hand, reloading: !app.config.cache_classes)
      Cablestay::Secret.shared if ENV.key?(Cablestay::Secret::VARIABLE)
    end

    rake_tasks do
      load File.expand_path("../tasks/cablestay.rake", __dir__)
    end
  end
end
