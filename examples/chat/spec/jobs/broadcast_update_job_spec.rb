# frozen_string_literal: true

RSpec.describe BroadcastUpdateJob, type: :job do
  it "broadcasts from the queue" do
    expect { BroadcastUpdateJob.perform_later("dashboard_user_1", { "type" => "stats_update" }) }
      .to have_broadcasted_to("dashboard_user_1").with({ type: "stats_update" })
  end
end
