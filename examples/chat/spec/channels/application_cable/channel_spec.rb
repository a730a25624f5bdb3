# frozen_string_literal: true

RSpec.describe ApplicationCable::Channel, type: :channel do
  let(:user) { create(:user) }

  before { stub_connection current_user: user, current_account: user.account, connection_id: "one" }

  describe DashboardChannel, type: :channel do
    it "streams the user's dashboard" do
      subscribe
      expect(subscription).to have_stream_from("dashboard_user_#{user.id}")
    end
  end

  describe NotificationChannel, type: :channel do
    it "answers an action that raises with an error that tells nothing of the inside" do
      subscribe
      allow(user).to receive(:notifications).and_raise("the database password is 1234")
      perform :mark_all_read

      expect(transmissions.last).to eq("type" => "error", "error" => "Something went wrong with your request")
    end

    if Rails.respond_to?(:error)
      it "reports the error" do
        subscribe
        error = RuntimeError.new("what the operator should see")
        allow(user).to receive(:notifications).and_raise(error)
        expect(Rails.error).to receive(:report).with(error, handled: true)
        perform :mark_all_read
      end
    end
  end
end
