# frozen_string_literal: true

RSpec.describe "Operations", type: :request do
  it "says that the cable is ill when its Redis does not answer" do
    # The test adapter has none.
    get "/health/cable"

    expect(response).to have_http_status(:service_unavailable)
    expect(response.parsed_body).to include("healthy" => false, "connections" => 0, "subscriptions" => 0)
  end

  it "counts what the channels say" do
    ActiveSupport::Notifications.instrument("transmit.action_cable", channel_class: "ExampleChannel") { }
    get "/metrics"

    expect(response.body).to match(/^actioncable_connections \d+$/)
    expect(response.body).to include(%(actioncable_messages_total{direction="out",channel="ExampleChannel"} 1))
  end
end
