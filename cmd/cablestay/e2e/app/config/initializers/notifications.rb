# frozen_string_literal: true

# What the app can hear of the channels and broadcastings whose names begin with Notices.
ActiveSupport::Notifications.subscribe(/\.action_cable\z/) do |name, _started, _finished, _id, payload|
  next unless payload.values_at(:channel_class, :broadcasting).compact.any? { |subject| subject.to_s.downcase.start_with?("notices") }

  Journal.record({ event: "notified", device: "notices", name: name, payload: payload.except(:exception_object) })
end
