# frozen_string_literal: true

class SignedStreamsController < ApplicationController
  def show
    render plain: SignedStreamChannel::StreamName.verifier.generate(params.require(:name))
  end

  def create
    ActionCable.server.broadcast(params.require(:name), %(<turbo-stream action="append" target="messages"><template>é & "x"</template></turbo-stream>))
    head :no_content
  end
end
